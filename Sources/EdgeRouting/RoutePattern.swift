internal import EdgeCore
internal import EdgeHTTP

/// Which requests a route answers for.
public struct RoutePattern: Hashable, Sendable {
  /// The hosts.
  public var host: HostPattern
  /// The paths.
  public var path: PathPattern

  /// Makes a pattern of two.
  public init(host: HostPattern, path: PathPattern) {
    self.host = host
    self.path = path
  }
}

/// Which hosts a route answers for.
public enum HostPattern: Hashable, Sendable, CustomStringConvertible {
  /// Every host, and requests that name none.
  case any
  /// One host, in lower case, without port and trailing dot.
  case exact(String)
  /// Every name that ends in `suffix` and has at least one label before it; the suffix begins with a dot.
  case wildcard(suffix: String)

  /// Reads `*`, `chat.example.com`, `[2001:db8::1]` or `*.example.com` in any case; nil for anything else.
  public init?(_ text: String) {
    if text == "*" {
      self = .any
    } else if text.utf8.starts(with: "*.".utf8) {
      guard let name = HostName.normalized(text.dropFirst(2)), !HostName.isLiteral(name) else { return nil }
      self = .wildcard(suffix: ".\(name)")
    } else {
      guard let name = HostName.normalized(text) else { return nil }
      self = .exact(name)
    }
  }

  /// The text that `init` reads.
  public var description: String {
    switch self {
    case .any: "*"
    case .exact(let name): name
    case .wildcard(let suffix): "*\(suffix)"
    }
  }

  /// Whether the pattern covers `host`, given in lower case without port and trailing dot; nil is a request without a host.
  public func matches(_ host: String?) -> Bool {
    switch self {
    case .any: return true
    case .exact(let name): return host.map { $0.utf8.elementsEqual(name.utf8) } ?? false
    case .wildcard(let suffix):
      guard let host, host.utf8.count > suffix.utf8.count, host.utf8.first != dot else { return false }
      return host.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
  }

  /// Exact before wildcard, a longer wildcard before a shorter one, any last.
  var specificity: (Int, Int) {
    switch self {
    case .any: (0, 0)
    case .wildcard(let suffix): (1, suffix.utf8.count)
    case .exact: (2, 0)
    }
  }
}

/// Which paths a route answers for.
public enum PathPattern: Hashable, Sendable, CustomStringConvertible {
  /// One path, byte by byte.
  case exact(String)
  /// The path itself and everything below it, by whole segments: `/ws` covers `/ws` and `/ws/room`, not `/wsx`.
  ///
  /// A prefix that ends in a slash covers only what is below: `/ws/` covers `/ws/` and `/ws/room`, not `/ws`; `/` covers all.
  case prefix(String)

  /// Reads `/ws` as a prefix and `=/ws` as an exact path.
  ///
  /// - Returns: nil for a path above 1024 bytes, or one that is not in the normal form of `RequestTarget`: no request would match.
  public init?(_ text: String) {
    let isExact = text.utf8.first == UInt8(ascii: "=")
    let path = isExact ? String(text.dropFirst()) : text
    guard path.utf8.count <= maxPathBytes, let target = try? RequestTarget(parsing: path), target.query == nil,
      target.path.utf8.elementsEqual(path.utf8)
    else { return nil }
    self = isExact ? .exact(path) : .prefix(path)
  }

  /// The text that `init` reads.
  public var description: String {
    switch self {
    case .exact(let path): "=\(path)"
    case .prefix(let path): path
    }
  }

  /// Whether the pattern covers `path`, given in normal form.
  public func matches(_ path: String) -> Bool {
    switch self {
    case .exact(let own): return own.utf8.elementsEqual(path.utf8)
    case .prefix(let own):
      guard path.utf8.starts(with: own.utf8) else { return false }
      return own.utf8.last == slash || path.utf8.count == own.utf8.count || path.utf8.dropFirst(own.utf8.count).first == slash
    }
  }

  /// Exact before prefix, a longer prefix before a shorter one.
  var specificity: (Int, Int) {
    switch self {
    case .prefix(let path): (0, path.utf8.count)
    case .exact: (1, 0)
    }
  }
}

private let dot = UInt8(ascii: ".")
private let slash = UInt8(ascii: "/")
private let maxPathBytes = 1024
