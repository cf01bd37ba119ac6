/// The scheme of a request as its client sees it.
public enum HTTPScheme: String, Hashable, Sendable, CaseIterable {
  /// Without TLS: also what `ws:` opens with.
  case http
  /// With TLS: also what `wss:` opens with.
  case https

  /// The port that a URI without one means.
  public var defaultPort: UInt16 {
    switch self {
    case .http: 80
    case .https: 443
    }
  }
}
