import EdgeCore
import EdgeIO
import EdgeTLS

/// What the connections of a load share: its loop, its target, and scratch buffers that are free between two turns.
@safe
final class LoadContext {
  let reactor: Reactor
  let target: Target
  let scratch: TLSScratch
  /// Draws mask keys and handshake keys.
  var numbers = LoadNumbers(seed: MonotonicClock.now().nanoseconds)
  /// The session that later connections resume, where the load resumes at all.
  var ticket: TLSClientTicket?
  /// Where connections receive what they decrypt: enough for one read.
  let plaintext: UnsafeMutableRawBufferPointer

  /// Allocates the buffers.
  init(_ target: Target) throws {
    self.target = target
    reactor = try Reactor()
    scratch = try TLSScratch()
    unsafe plaintext = .allocate(byteCount: scratch.plaintextBytes, alignment: 64)
  }

  deinit {
    unsafe plaintext.deallocate()
  }

  /// Calls `body` with the first `count` bytes.
  func withPlaintext<Result>(_ count: Int, _ body: (Span<UInt8>) -> Result) -> Result {
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: plaintext[..<count])
    return unsafe body(Span(_unsafeBytes: bytes))
  }
}

/// Numbers that are spread, not secret: a load generator's own cost must stay small (SplitMix64, Steele et al. 2014).
struct LoadNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// Why a load failed.
enum LoadFailure: Error, CustomStringConvertible {
  case system(SystemError)
  case tls(TLSError)
  /// The proxy's answer to the opening handshake is no HTTP, not the right status, or a wrong one.
  case answer(String)
  /// The WebSocket broke a rule, or the echo is not what was sent.
  case webSocket(String)
  /// A connection ended before its time.
  case ended(String)
  case timeout
  case server(String)

  var description: String {
    switch self {
    case .system(let error): error.description
    case .tls(let error): "TLS failed: \(error)"
    case .answer(let what): "the answer to the opening handshake: \(what)"
    case .webSocket(let what): "the WebSocket: \(what)"
    case .ended(let when): "the connection ended \(when)"
    case .timeout: "not done in time"
    case .server(let what): "the server's process: \(what)"
    }
  }
}
