internal import EdgeCore

/// Which hosts a route answers for.
public enum HostPattern: Hashable, Sendable {
  /// Every host, and requests that name none.
  case any
  /// One host, in lower case, without port and trailing dot.
  case exact(String)
  /// Every name that ends in `suffix` and has at least one label before it; the suffix begins with a dot.
  case wildcard(suffix: String)

  /// Reads `*`, `chat.example.com`, `[2001:db8::1]` or `*.example.com`; nil for anything else.
  public init?(_ text: String) {
    let lower = String(decoding: text.utf8.map(ASCII.lowercased), as: UTF8.self)
    if lower == "*" {
      self = .any
    } else if lower.utf8.starts(with: "*.".utf8) {
      let suffix = String(lower.dropFirst())
      guard isHostName(suffix.dropFirst()) else { return nil }
      self = .wildcard(suffix: suffix)
    } else {
      guard isHostName(lower) || isBracketedAddress(lower) else { return nil }
      self = .exact(lower)
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
public enum PathPattern: Hashable, Sendable {
  /// One path, byte by byte.
  case exact(String)
  /// The path itself and everything below it, by whole segments: `/ws` covers `/ws` and `/ws/room`, not `/wsx`.
  ///
  /// A prefix that ends in a slash covers only what is below: `/ws/` covers `/ws/` and `/ws/room`, not `/ws`; `/` covers all.
  case prefix(String)

  /// Reads `/ws` as a prefix and `=/ws` as an exact path; nil when there is no leading slash.
  ///
  /// The path must be in the normal form that requests are matched in: visible ASCII without `?`, `#` and `\`, no empty and no
  /// dot segments.
  public init?(_ text: String) {
    let isExact = text.utf8.first == UInt8(ascii: "=")
    let path = isExact ? String(text.dropFirst()) : text
    guard isNormalPath(path) else { return nil }
    self = isExact ? .exact(path) : .prefix(path)
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

private func isHostName(_ text: some StringProtocol) -> Bool {
  let labels = text.utf8.split(separator: dot, omittingEmptySubsequences: false)
  return text.utf8.count <= maxHostBytes
    && labels.allSatisfy { label in
      (1...63).contains(label.count)
        && label.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
}

private func isBracketedAddress(_ text: String) -> Bool {
  text.hasPrefix("[") && text.hasSuffix("]") && text.utf8.contains(UInt8(ascii: ":"))
    && IPAddress(text.dropFirst().dropLast()) != nil
}

private func isNormalPath(_ path: String) -> Bool {
  guard path.utf8.first == slash, path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && !#"?#\"#.utf8.contains($0) }) else {
    return false
  }
  let segments = path.utf8.dropFirst().split(separator: slash, omittingEmptySubsequences: false)
  return segments.dropLast().allSatisfy { !$0.isEmpty }
    && segments.allSatisfy { !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
}

private let dot = UInt8(ascii: ".")
private let slash = UInt8(ascii: "/")
private let maxHostBytes = 253
