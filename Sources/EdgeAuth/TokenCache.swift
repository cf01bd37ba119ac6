/// Tokens that were verified not long ago, so that a storm of reconnecting clients costs hashes instead of signatures.
///
/// A hit skips the signature only: times are checked on every one. Bounded: when `capacity` tokens have come since the last
/// time, those that were not asked for since then are forgotten. A value without a lock, for one thread.
public struct TokenCache: Sendable {
  /// What a token is known by: a hash of the token and of all that its verdict depends on.
  public typealias Key = [UInt8]

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
