public import EdgeCore

/// Which origins one entry of `origins` allows.
public enum OriginPattern: Hashable, Sendable, CustomStringConvertible {
  /// `*`: every origin, and none.
  case any
  /// `same-origin`: the scheme, host and port that the request itself was made to.
  case sameOrigin
  /// One origin.
  case exact(Origin)
  /// `https://*.example.com`: every name below `example.com`, at any depth, but not `example.com` itself. The suffix begins
  /// with a dot.
  case subdomains(scheme: String, suffix: String, port: UInt16?)

  /// Reads an entry; nil if it is none of these, nor one that no browser would match, such as `wss://chat.example.com`.
  /// (`null` is no entry: that is what `origin_null` is for.)
  public init?(_ text: String) {
    switch text {
    case "*": self = .any
    case "same-origin": self = .sameOrigin
    default:
      guard let parts = OriginParts(text), parts.scheme != "ws", parts.scheme != "wss" else { return nil }
      guard parts.host.utf8.starts(with: "*.".utf8) else {
        guard let origin = Origin(text) else { return nil }
        self = .exact(origin)
        return
      }
      guard let name = HostName.normalized(parts.host.dropFirst(2)), !HostName.isLiteral(name) else { return nil }
      self = .subdomains(scheme: parts.scheme, suffix: ".\(name)", port: parts.port ?? defaultPort(of: parts.scheme))
    }
  }

  /// The text that `init` reads; a port that the scheme implies is left out.
  public var description: String {
    switch self {
    case .any: "*"
    case .sameOrigin: "same-origin"
    case .exact(let origin): origin.description
    case .subdomains(let scheme, let suffix, let port): "\(scheme)://*\(suffix)\(portSuffix(port, scheme: scheme))"
    }
  }
}

/// Whether a page of some origin may come in (RFC 6455 §10.2): the defence against cross-site WebSocket hijacking.
public struct OriginRule: Hashable, Sendable {
  /// What to do where there is no origin to compare.
  public enum Fallback: String, Sendable, CaseIterable {
    /// Deny the request.
    case refuse
    /// Let it pass.
    case allow
  }

  /// The origins allowed; none allows none.
  public var patterns: [OriginPattern]
  /// What an upgrade without Origin meets: programs send none, browsers always do.
  public var missing: Fallback
  /// What `Origin: null` meets.
  public var null: Fallback

  /// Makes a rule.
  ///
  /// - Parameters:
  ///   - patterns: the origins allowed.
  ///   - missing: nil refuses where origins are listed, and allows with `same-origin` alone or with `*`.
  ///   - null: nil refuses, except with `*`.
  public init(patterns: [OriginPattern] = [.sameOrigin], missing: Fallback? = nil, null: Fallback? = nil) {
    self.patterns = patterns
    let takesAny = patterns.contains(.any)
    self.missing = missing ?? (takesAny || patterns == [.sameOrigin] ? .allow : .refuse)
    self.null = null ?? (takesAny ? .allow : .refuse)
  }

  /// Decides on one request.
  ///
  /// - Parameters:
  ///   - origins: the values of all its Origin fields.
  ///   - scheme: how the client reached the edge, or the trusted proxy before it.
  ///   - host: the request's host in lower case, without port and trailing dot; nil if it names none.
  ///   - port: the port that the request names; nil is the scheme's own.
  ///   - isUpgrade: whether it opens a WebSocket; other requests may come without Origin.
  public func decide(
    origins: [String], scheme: HTTPScheme, host: String?, port: UInt16?, isUpgrade: Bool
  ) -> OriginVerdict {
    guard origins.count <= 1 else { return .denied(.repeated) }
    guard let value = origins.first else {
      return !isUpgrade || missing == .allow ? .allowed : .denied(.missing)
    }
    guard let origin = Origin(value) else {
      return patterns.contains(.any) ? .allowed : .denied(.malformed)
    }
    switch origin {
    case .opaque: return null == .allow ? .allowed : .denied(.null)
    case .tuple:
      let own = host.flatMap { HostName.normalized($0) }.map {
        Origin.tuple(scheme: scheme.rawValue, host: $0, port: port ?? scheme.defaultPort)
      }
      return patterns.contains { $0.allows(origin, own: own) } ? .allowed : .denied(.notAllowed)
    }
  }
}

/// What an origin rule says.
public enum OriginVerdict: Hashable, Sendable {
  /// The request may pass.
  case allowed
  /// It may not; the word `origin_denied` names the outcome.
  case denied(OriginDenial)
}

/// Why an origin was denied.
public enum OriginDenial: String, Hashable, Sendable, CaseIterable {
  /// An upgrade without Origin.
  case missing
  /// `Origin: null`.
  case null
  /// Not the text of an origin.
  case malformed
  /// Several Origin fields.
  case repeated
  /// An origin that no entry allows.
  case notAllowed = "not_allowed"
}

extension OriginPattern {
  fileprivate func allows(_ origin: Origin, own: Origin?) -> Bool {
    switch (self, origin) {
    case (.any, _): true
    case (.sameOrigin, _): origin == own
    case (.exact(let allowed), _): origin == allowed
    case (.subdomains(let scheme, let suffix, let port), .tuple(let ownScheme, let host, let ownPort)):
      scheme == ownScheme && port == ownPort && host.utf8.count > suffix.utf8.count && host.hasSuffix(suffix)
    case (.subdomains, .opaque): false
    }
  }
}
