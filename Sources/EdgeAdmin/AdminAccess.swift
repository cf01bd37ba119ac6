internal import EdgeCore

/// Decides who may do what on the admin plane, and refuses requests that a web page could have forged.
///
/// Nothing is open unless a rule opens it: a Unix socket serves its owner, TCP serves tokens, and only probes and
/// metrics need neither.
public final class AdminAccess: Sendable {
  /// How tokens are compared; the functions come from the TLS library.
  public struct Cryptography: Sendable {
    /// SHA-256 of bytes, 32 bytes.
    public var sha256: @Sendable ([UInt8]) -> [UInt8]
    /// Whether two byte strings are equal, in a time that does not depend on where they differ.
    public var constantTimeEquals: @Sendable ([UInt8], [UInt8]) -> Bool

    /// Makes a set of functions.
    public init(
      sha256: @escaping @Sendable ([UInt8]) -> [UInt8], constantTimeEquals: @escaping @Sendable ([UInt8], [UInt8]) -> Bool
    ) {
      self.sha256 = sha256
      self.constantTimeEquals = constantTimeEquals
    }
  }

  private let currentTokens: Guarded<AdminTokens?>
  private let allowedHosts: [String]
  /// Whether the admin plane listens on every address of the machine.
  private let servesAnyAddress: Bool
  private let ownUserID: UInt32
  private let cryptography: Cryptography
  private let failedTokens = Guarded(FailedTokenLimiter())

  /// Makes the rules.
  ///
  /// - Parameters:
  ///   - tokens: the tokens file; nil where none is configured, and then TCP has no access to the API.
  ///   - allowedHosts: names and addresses, without port, that `Host` may bear over TCP besides `localhost` and loopback
  ///     addresses. With `0.0.0.0` or `::` any address may stand there, but no further name: only a name can be bound to our address
  ///     by somebody else.
  ///   - ownUserID: the user the edge runs as, who is admin on the Unix socket like root.
  public init(tokens: AdminTokens?, allowedHosts: [String] = [], ownUserID: UInt32, cryptography: Cryptography) {
    currentTokens = Guarded(tokens)
    self.allowedHosts = allowedHosts
    servesAnyAddress = allowedHosts.contains { IPAddress($0)?.isUnspecified == true }
    self.ownUserID = ownUserID
    self.cryptography = cryptography
  }

  /// The tokens that are good; nil where none is configured.
  public var tokens: AdminTokens? { currentTokens.withLock { $0 } }

  /// Only these tokens are good from now on.
  public func adopt(_ tokens: AdminTokens?) {
    currentTokens.withLock { $0 = tokens }
  }

  /// Who asks, if they may; throws the problem that tells them what to do.
  func authorize(_ request: AdminRequest, from peer: AdminPeer, needing role: AdminRole, now: Instant) throws(AdminProblem)
    -> AdminIdentity
  {
    let identity = try identify(request, from: peer, now: now)
    try identity.require(role)
    return identity
  }

  /// Refuses what a page in someone's browser could send: a name that was rebound to our address, or a foreign origin.
  func checkHostAndOrigin(_ request: AdminRequest, from peer: AdminPeer) throws(AdminProblem) {
    let hosts = request.values(of: "Host")
    let origins = request.values(of: "Origin")
    guard hosts.count <= 1, origins.count <= 1 else {
      throw AdminProblem(400, "bad_request", "Host and Origin may be given once.")
    }
    switch peer {
    case .unix:
      // A socket that was forwarded to a port meets browsers, too. Programs say what they like, but for a name that somebody's page
      // could have: one with a dot.
      guard let host = hosts.first, !host.isEmpty else { break }
      guard let name = hostName(host), !name.contains(".") || IPAddress(name) != nil || isAllowed(name) else {
        throw AdminProblem(403, "host_not_allowed", "Host must be localhost, or another name without a dot.")
      }
    case .tcp:
      guard let host = hosts.first, let name = hostName(host), isAllowed(name) else {
        throw AdminProblem(
          403, "host_not_allowed", "Host must be localhost, a loopback address, or an address of admin.listen.")
      }
    }
    if let origin = origins.first {
      guard let host = hosts.first, !host.isEmpty, ASCII.equalIgnoringCase(origin, "http://\(host)") else {
        throw AdminProblem(403, "origin_not_allowed", "Pages of other origins may not use the admin API.")
      }
    }
  }

  // MARK: Identity

  private func identify(_ request: AdminRequest, from peer: AdminPeer, now: Instant) throws(AdminProblem) -> AdminIdentity {
    switch peer {
    case .unix(let userID):
      if let userID, userID == 0 || userID == ownUserID { return AdminIdentity(name: "uid:\(userID)", role: .admin) }
      guard tokens != nil else {
        throw AdminProblem(
          403, "access_denied",
          "On this socket root and the edge's own user are admin; others need a token from admin.tokens_file.")
      }
      return try identityOfToken(request, address: nil, now: now)
    case .tcp(let address):
      return try identityOfToken(request, address: address.ip, now: now)
    }
  }

  private func identityOfToken(_ request: AdminRequest, address: IPAddress?, now: Instant) throws(AdminProblem) -> AdminIdentity {
    guard let tokens else {
      throw AdminProblem(
        403, "access_denied",
        "Over TCP nobody is known yet: set admin.tokens_file, or use the Unix socket of admin.listen.")
    }
    if let wait = failedTokens.withLock({ $0.wait(address, now: now) }) {
      throw AdminProblem(429, "too_many_failures", "Too many wrong tokens came from this address.")
        .with("Retry-After", String(wait.nanoseconds / 1_000_000_000 + 1))
    }
    guard let token = bearerToken(request.values(of: "Authorization")) else {
      throw AdminProblem(401, "token_missing", "Send Authorization: Bearer with a token from admin.tokens_file.")
        .with("WWW-Authenticate", "Bearer realm=\"sluice admin\"")
    }
    let hash = cryptography.sha256(Array(token.utf8))
    // Every entry is compared, whether or not one before it fits: the time tells nothing.
    var found: AdminIdentity?
    for entry in tokens.entries where cryptography.constantTimeEquals(entry.hash, hash) { found = entry.identity }
    guard let found else {
      failedTokens.withLock { $0.failed(address, now: now) }
      throw AdminProblem(401, "token_invalid", "The token is not in admin.tokens_file.")
        .with("WWW-Authenticate", "Bearer realm=\"sluice admin\", error=\"invalid_token\"")
    }
    return found
  }

  // MARK: Host

  private func isAllowed(_ name: Substring) -> Bool {
    if let address = IPAddress(name) {
      return address.isLoopback || servesAnyAddress || allowedHosts.contains { IPAddress($0) == address }
    }
    return ASCII.equalIgnoringCase(name, "localhost") || allowedHosts.contains { ASCII.equalIgnoringCase($0, name) }
  }
}

/// The credentials of one `Authorization: Bearer` field (RFC 6750 §2.1); nil if there is none, or something else.
private func bearerToken(_ fields: [String]) -> Substring? {
  guard fields.count == 1, let field = fields.first else { return nil }
  let parts = field.split(separator: " ", maxSplits: 1)
  guard parts.count == 2, ASCII.equalIgnoringCase(parts[0], "Bearer"), (1...maxTokenBytes).contains(parts[1].utf8.count),
    parts[1].utf8.allSatisfy(ASCII.isVisible)
  else { return nil }
  return parts[1]
}

/// The host of a `Host` field without port and brackets (RFC 9110 §7.2); nil if it is malformed.
private func hostName(_ field: String) -> Substring? {
  let name: Substring
  let port: Substring
  if field.hasPrefix("[") {
    guard let end = field.firstIndex(of: "]") else { return nil }
    name = field[field.index(after: field.startIndex)..<end]
    port = field[field.index(after: end)...]
  } else {
    name = field.prefix { $0 != ":" }
    port = field.dropFirst(name.count)
  }
  guard port.isEmpty || (port.first == ":" && port.utf8.count <= 6 && port.utf8.dropFirst().allSatisfy(ASCII.isDigit)) else {
    return nil
  }
  return name
}

private let maxTokenBytes = 512
