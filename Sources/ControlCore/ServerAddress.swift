internal import EdgeCore

/// Where the edge's admin plane is: the option `--server`.
public enum ServerAddress: Equatable, Sendable, CustomStringConvertible {
  /// A Unix socket.
  case unix(path: String)
  /// Plain HTTP; the admin plane has no TLS of its own.
  case http(authority: String)

  /// Reads `unix:///run/sluice/admin.sock`, `unix:/run/sluice/admin.sock` as configurations write it, a path from `/`, or
  /// `http://127.0.0.1:9901`; nil for anything else, such as an address with a user, a path or a query.
  public init?(_ text: String) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
    if let path = text.dropping("unix://") ?? text.dropping("unix:") ?? (text.hasPrefix("/") ? text[...] : nil) {
      guard path.hasPrefix("/"), path.utf8.count > 1 else { return nil }
      self = .unix(path: String(path))
    } else if let rest = text.dropping("http://") {
      let authority = rest.hasSuffix("/") ? rest.dropLast() : rest
      guard !authority.isEmpty, !authority.utf8.contains(where: { "/?#@\\".utf8.contains($0) }) else { return nil }
      self = .http(authority: String(authority))
    } else {
      return nil
    }
  }

  /// What is put before a request's target.
  public var base: String {
    switch self {
    case .unix: "http://localhost"
    case .http(let authority): "http://\(authority)"
    }
  }

  /// Whether what is sent can be read by others on the way: plain HTTP to another machine.
  public var isExposed: Bool {
    switch self {
    case .unix: return false
    case .http(let authority):
      let host = authority.hasPrefix("[") ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
      return host != "localhost" && !(IPAddress(host)?.isLoopback ?? false)
    }
  }

  /// The address as the option takes it.
  public var description: String {
    switch self {
    case .unix(let path): "unix://\(path)"
    case .http(let authority): "http://\(authority)"
    }
  }

  /// Where the packages of this release put the socket.
  public static let standard = ServerAddress.unix(path: "/run/sluice/admin.sock")
}

extension String {
  fileprivate func dropping(_ prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
