/// Tokens that were verified not long ago, so that a storm of reconnecting clients costs hashes instead of signatures.
///
/// A hit skips the signature only: times are checked on every one. Bounded: when `capacity` tokens have come since the last
/// time, those that were not asked for since then are forgotten. A value without a lock, for one thread.
public struct TokenCache: Sendable {
  private let capacity: Int
  private var recent: [Key: VerifiedToken] = [:]
  private var older: [Key: VerifiedToken] = [:]

  /// Makes an empty cache.
  ///
  /// - Parameter capacity: at most twice as many tokens are held.
  public init(capacity: Int = 2048) {
    self.capacity = max(1, capacity)
  }

  /// How many tokens are held.
  public var count: Int { recent.count + older.count }

  /// The token that `key` stands for, if it was kept.
  public mutating func token(for key: Key) -> VerifiedToken? {
    if let token = recent[key] { return token }
    guard let token = older.removeValue(forKey: key) else { return nil }
    keep(token, for: key)
    return token
  }

  /// Keeps a token that has just been verified.
  public mutating func keep(_ token: VerifiedToken, for key: Key) {
    if recent.count >= capacity {
      older = recent
      recent = [:]
    }
    recent[key] = token
  }

  /// Forgets a token, such as one that has expired.
  public mutating func forget(_ key: Key) {
    recent[key] = nil
    older[key] = nil
  }
}

extension TokenCache {
  /// What a token is known by: SHA-256 over the token and all that its verdict depends on.
  public struct Key: Hashable, Sendable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Takes the digest of a `Scope`'s input.
    ///
    /// - Parameter digest: 32 bytes; another count is a mistake of ours and traps.
    public init(digest: [UInt8]) {
      precondition(digest.count == 32)
      func word(_ index: Int) -> UInt64 {
        var word: UInt64 = 0
        for byte in 8 * index..<8 * index + 8 { word = word << 8 | UInt64(digest[byte]) }
        return word
      }
      (first, second, third, fourth) = (word(0), word(1), word(2), word(3))
    }

    /// Hashes a part: of a digest each is as good as the whole.
    public func hash(into hasher: inout Hasher) {
      hasher.combine(first)
    }
  }

  /// All that a token's verdict depends on besides the token and the time: whose keys, and which generation of them.
  public struct Scope: Sendable {
    private let prefix: [UInt8]

    /// Describes a scope. The name's length stands before it, so that no two scopes begin alike.
    public init(auth: String, generation: UInt64) {
      prefix = bigEndian(UInt64(auth.utf8.count)) + Array(auth.utf8) + bigEndian(generation)
    }

    /// What to take the digest of for the key of `token`.
    public func input(for token: String) -> [UInt8] {
      var input: [UInt8] = []
      input.reserveCapacity(prefix.count + token.utf8.count)
      input.append(contentsOf: prefix)
      input.append(contentsOf: token.utf8)
      return input
    }
  }
}

private func bigEndian(_ number: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
}
