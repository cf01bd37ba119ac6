public import EdgeCore

/// What an operator decided about users, addresses or tokens: a ban, a throttle or a revocation.
public struct Rule: Hashable, Sendable {
  /// Names the rule for as long as it is there.
  public let id: RuleID
  /// What happens, and to whom.
  public internal(set) var effect: RuleEffect
  /// When it was made, in whole milliseconds. A revocation of a user's tokens means those issued until then.
  public internal(set) var created: WallTime
  /// From here on it does nothing; nil is never.
  public internal(set) var expires: WallTime?
  /// Why, for other operators; no client sees it.
  public internal(set) var reason: RuleReason?
  /// Who made it: the name of an admin token, `uid:0`, or `configuration`.
  public internal(set) var author: String

  /// Whether it does something at this time.
  public func isActive(at now: WallTime) -> Bool {
    expires.map { now < $0 } ?? true
  }

  /// Whether it ends later than `other`.
  func outlasts(_ other: Rule) -> Bool {
    guard let end = expires, let otherEnd = other.expires else { return expires == nil && other.expires != nil }
    return end > otherEnd
  }

  /// Whether it is about this client, its time aside.
  public func concerns(_ client: RuleClient) -> Bool {
    switch effect {
    case .ban(let subject), .throttle(let subject, _): subject.includes(client)
    case .revoke(let tokens): tokens.include(client, revoked: created)
    }
  }
}

/// What names a rule. Rules are listed in this order: those of the configuration, then the others as they were made.
public enum RuleID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// A rule of the configuration: a hash of what it says, so that it has the same name after every start.
  case seed(UInt64)
  /// The rule of this number, counted from 1 over the life of the state directory.
  case made(UInt64)

  /// Reads the text that `description` gives.
  public init?(_ text: some StringProtocol) {
    if text.hasPrefix(seedMark), text.utf8.count == seedMark.utf8.count + 16 {
      guard let bytes = Hexadecimal.bytes(text.dropFirst(seedMark.count).utf8) else { return nil }
      self = .seed(bytes.reduce(0) { $0 << 8 | UInt64($1) })
    } else {
      let digits = text.dropFirst()
      guard text.first == "r", digits.utf8.first.map({ ASCII.isDigit($0) && $0 != UInt8(ascii: "0") }) == true,
        digits.utf8.count <= maxDigits, digits.utf8.allSatisfy(ASCII.isDigit), let number = UInt64(digits)
      else { return nil }
      self = .made(number)
    }
  }

  /// `seed-0123456789abcdef` or `r17`.
  public var description: String {
    switch self {
    case .seed(let hash): seedMark + Hexadecimal.text(hash)
    case .made(let number): "r\(number)"
    }
  }
}

/// A name that an `auth` block vouches for: a user's subject, or a token's `jti`.
///
/// Two are the same only byte by byte, although Unicode calls more texts equivalent.
public struct VouchedName: Hashable, Sendable {
  /// The name: 1 to `maxBytes` bytes without control characters.
  public let text: String
  /// The name of the `auth` block; in a rule nil stands for any.
  public let auth: String?

  /// The longest name in bytes, the same as in tokens.
  public static let maxBytes = 1024

  /// Takes a name as a verified token has it.
  public init(_ text: String, by auth: String?) {
    self.text = text
    self.auth = auth
  }

  /// Takes a name that somebody wrote; nil if no token can have it.
  public init?(checking text: String, by auth: String?) {
    guard isPlain(text, maxBytes: Self.maxBytes) else { return nil }
    self.init(text, by: auth)
  }

  /// Whether both are the same, byte by byte.
  public static func == (lhs: VouchedName, rhs: VouchedName) -> Bool {
    lhs.text.utf8.elementsEqual(rhs.text.utf8) && (lhs.auth == nil) == (rhs.auth == nil)
      && (lhs.auth ?? "").utf8.elementsEqual((rhs.auth ?? "").utf8)
  }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
    hasher.combine(0xff as UInt8)
    for byte in (auth ?? "").utf8 { hasher.combine(byte) }
  }

  /// Whether this, as a rule has it, means `other`, as a token has it.
  func includes(_ other: VouchedName) -> Bool {
    self == (auth == nil ? other.byAny : other)
  }

  /// The same name, whoever vouches for it.
  var byAny: VouchedName { VouchedName(text, by: nil) }
}

/// Why a rule was made: 1 to `maxBytes` bytes without control characters.
public struct RuleReason: Hashable, Sendable {
  /// The text.
  public let text: String

  /// The longest reason in bytes.
  public static let maxBytes = 200

  /// Takes a reason; nil if it is empty, too long, or holds control characters.
  public init?(_ text: String) {
    guard isPlain(text, maxBytes: Self.maxBytes) else { return nil }
    self.text = text
  }
}

/// A client as rules see it.
public struct RuleClient: Sendable {
  /// What rules ask of a token.
  public struct Token: Sendable {
    /// `iat`.
    public var issuedAt: WallTime?
    /// `jti`.
    public var id: String?

    /// Describes a token.
    public init(issuedAt: WallTime?, id: String?) {
      self.issuedAt = issuedAt
      self.id = id
    }
  }

  /// Its own address; nil for a peer without one.
  public var address: IPAddress?
  /// The verified user, with the `auth` block that vouches.
  public var user: VouchedName?
  /// The token that the user came in with.
  public var token: Token?

  /// Describes a client.
  public init(address: IPAddress?, user: VouchedName? = nil, token: Token? = nil) {
    self.address = address
    self.user = user
    self.token = token
  }
}

/// Whether a text is neither empty nor too long, and has no C0 or C1 control character or DEL.
private func isPlain(_ text: String, maxBytes: Int) -> Bool {
  (1...maxBytes).contains(text.utf8.count)
    && !text.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }
}

private let seedMark = "seed-"
/// So that no number in a file brings the count to its end.
private let maxDigits = 15
