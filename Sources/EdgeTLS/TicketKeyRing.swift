import COpenSSL
public import EdgeCore

/// The keys that protect session tickets (RFC 5077 §4): one for new tickets, and the one before it to accept older ones.
///
/// Shared by all threads and contexts of a process. They live in memory only, so a restart ends all sessions.
public final class TicketKeyRing: Sendable {
  /// How long a key protects new tickets; afterwards it is accepted for as long again.
  public let period: Duration
  private let keys: Guarded<Keys>

  private struct Keys {
    var current: TicketKey
    var previous: TicketKey?
    var since: Instant
  }

  /// Makes the first key.
  public init(now: Instant, period: Duration = .seconds(43_200)) {
    self.period = period
    keys = Guarded(Keys(current: TicketKey(), previous: nil, since: now))
  }

  /// Replaces keys that are older than the period. Costs nothing otherwise; call it every minute or so.
  public func rotate(now: Instant) {
    keys.withLock { keys in
      let age = now - keys.since
      guard age >= period else { return }
      // Nobody called for two periods: what would be the previous key is too old as well.
      keys.previous = age < period * 2 ? keys.current : nil
      keys.current = TicketKey()
      keys.since = now
    }
  }

  /// The key for a new ticket.
  var current: TicketKey { keys.withLock(\.current) }

  /// The key of that name, and whether it is the current one.
  func key(named name: TicketKey.Name) -> (key: TicketKey, isCurrent: Bool)? {
    keys.withLock { keys in
      if keys.current.name == name { return (keys.current, true) }
      if let previous = keys.previous, previous.name == name { return (previous, false) }
      return nil
    }
  }
}

/// A key for tickets: AES-256-CBC to encrypt, HMAC-SHA256 to authenticate.
struct TicketKey: Sendable {
  /// Sixteen random bytes that stand at the head of a ticket.
  struct Name: Equatable, Sendable {
    let high: UInt64
    let low: UInt64
  }

  let name: Name
  let encryption: [UInt8]
  let authentication: [UInt8]

  init() {
    name = Name(high: SecureRandom.word(), low: SecureRandom.word())
    encryption = SecureRandom.bytes(count: 32)
    authentication = SecureRandom.bytes(count: 32)
  }
}

/// One ticket being made or opened: whose it is, where OpenSSL keeps its name and IV, and the two contexts to key.
@unsafe
struct TicketProtection {
  let ssl: OpaquePointer
  let keyName: UnsafeMutablePointer<UInt8>
  let iv: UnsafeMutablePointer<UInt8>
  let cipher: OpaquePointer
  let mac: OpaquePointer

  /// Keys the contexts for a new ticket.
  ///
  /// - Returns: 1, or -1 to fail the handshake.
  func encrypt(with ring: TicketKeyRing) -> Int32 {
    let key = ring.current
    let header = unsafe UnsafeMutableRawPointer(keyName)
    unsafe header.storeBytes(of: key.name.high, as: UInt64.self)
    unsafe header.storeBytes(of: key.name.low, toByteOffset: 8, as: UInt64.self)
    unsafe TLSScratch.fillWithRandom(UnsafeMutableRawBufferPointer(start: iv, count: ivBytes), for: ssl)
    let isReady = unsafe EVP_EncryptInit_ex2(cipher, ticketCipher, key.encryption, iv, nil) == 1
    return unsafe isReady && authenticate(with: key) ? 1 : -1
  }

  /// Keys the contexts to open a ticket.
  ///
  /// - Returns: 1; 2 to give the client a newer ticket; 0 when nobody here made it, for a full handshake; -1 to fail.
  func decrypt(with ring: TicketKeyRing) -> Int32 {
    let header = unsafe UnsafeRawPointer(keyName)
    let name = unsafe TicketKey.Name(
      high: header.loadUnaligned(as: UInt64.self), low: header.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    guard let (key, isCurrent) = ring.key(named: name) else { return 0 }
    guard unsafe EVP_DecryptInit_ex2(cipher, ticketCipher, key.encryption, iv, nil) == 1, unsafe authenticate(with: key) else {
      return -1
    }
    return isCurrent ? 1 : 2
  }

  private func authenticate(with key: TicketKey) -> Bool {
    unsafe sluice_hmac_sha256_set_key(mac, key.authentication, key.authentication.count) == 1
  }
}

/// Fetched once: looking it up by name takes longer than the encryption. OpenSSL never changes it.
nonisolated(unsafe) private let ticketCipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)
private let ivBytes = 16
