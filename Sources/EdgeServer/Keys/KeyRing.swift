import EdgeAuth
import EdgeCore
import EdgeIO
import EdgeTLS

/// The keys of one `auth`, which may be replaced while the edge runs. Reactors ask it for each token.
final class KeyRing: Sendable {
  /// The name of the `auth`.
  let auth: String
  let requirements: TokenRequirements
  private let current: Guarded<KeyGeneration>

  init(auth: String, requirements: TokenRequirements, keys: KeyBundle = .none) {
    self.auth = auth
    self.requirements = requirements
    current = Guarded(KeyGeneration(keys, number: 1, auth: auth, requirements: requirements))
  }

  /// The keys as they are now. The lock is held for one retain.
  var generation: KeyGeneration { current.withLock { $0 } }

  /// Puts other keys in place of those in use. The same keys stay the same generation, and what was verified with them stays
  /// verified.
  func replace(with keys: KeyBundle) {
    current.withLock { current in
      guard keys.source != current.source else { return }
      current = KeyGeneration(keys, number: current.number + 1, auth: auth, requirements: requirements)
    }
  }
}

/// The keys of an `auth` from one change to the next. Immutable.
final class KeyGeneration: Sendable {
  /// Counts from 1.
  let number: UInt64
  /// When they were read.
  let read = Moment.now()
  /// What may be told of them: their names and algorithms.
  let described: [TokenKey]
  let source: KeyBundle.Source
  private let verifier: TokenVerifier
  private let keys: VerificationKeys
  private let scope: TokenCache.Scope

  fileprivate init(_ bundle: KeyBundle, number: UInt64, auth: String, requirements: TokenRequirements) {
    self.number = number
    source = bundle.source
    described = bundle.described
    verifier = TokenVerifier(requirements: requirements, keys: bundle.described)
    keys = VerificationKeys(bundle.keys)
    scope = TokenCache.Scope(auth: auth, generation: number)
  }

  var keyCount: Int { keys.keys.count }

  /// Verifies a token whose place in the cache is not taken.
  func verify(_ token: String, now: WallTime) throws(TokenError) -> VerifiedToken {
    try verifier.verify(token, now: now, checker: keys)
  }

  /// Checks a token again that this generation has verified.
  func recheck(_ token: VerifiedToken, now: WallTime) throws(TokenError) {
    try verifier.recheck(token, now: now)
  }

  /// What the cache knows a token by. A key that was removed takes the tokens that it signed out of the cache with it.
  func cacheKey(of token: String) -> TokenCache.Key {
    TokenCache.Key(digest: Digest.sha256(scope.input(for: token)))
  }
}
