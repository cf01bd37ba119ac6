/// The scheme of a request as its client sees it.
public enum HTTPScheme: String, Hashable, Sendable {
  /// Without TLS.
  case http
  /// With TLS.
  case https

  /// The port that a URI without one means.
  public var defaultPort: UInt16 {
    switch self {
    case .http: 80
    case .https: 443
    }
  }
}
