import EdgeTLS

/// Why the edge could not begin to serve.
public enum StartError: Error, CustomStringConvertible {
  /// The configuration, or a file that it names, cannot be used.
  case configuration(String)
  /// An address cannot be bound.
  case bind(address: String, reason: String)
  /// The system refused something else.
  case system(String)

  /// One line for an operator.
  public var description: String {
    switch self {
    case .configuration(let problem): problem
    case .bind(let address, let reason): "cannot listen on \(address): \(reason)"
    case .system(let problem): problem
    }
  }
}

/// What the edge says of itself.
public struct EdgeVersion: Sendable {
  /// The release, such as `0.1.0`.
  public let number: String
  /// The revision it was built from; empty if unknown.
  public let revision: String

  /// The TLS library and its version.
  public static var tlsLibrary: String { TLSLibrary.version }

  /// Makes a version.
  public init(number: String, revision: String = "") {
    self.number = number
    self.revision = revision
  }
}
