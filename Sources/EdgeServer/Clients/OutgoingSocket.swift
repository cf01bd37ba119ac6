import EdgeCore
import EdgeIO

/// A connected socket, and the bytes that its peer has not taken yet. Holds no buffer while the peer keeps up.
///
/// It sets no bound: whoever sends looks at the outcome, and stops reading from the other side while something waits.
@safe
struct OutgoingSocket: ~Copyable {
  private let socket: Socket
  /// Whether what the queue has is held back for the next `send`.
  private var isHolding = false
  private var queue = ByteQueue()
  /// Bytes that the kernel has taken, over the connection's life.
  private(set) var sentBytes: UInt64 = 0

  init(_ socket: consuming Socket) {
    self.socket = socket
  }

  /// Bytes that wait for the peer to take them.
  var waitingBytes: Int { isHolding ? 0 : queue.count }

  /// Sends `bytes`, or keeps what the peer does not take yet.
  mutating func send(_ bytes: Span<UInt8>) -> SendOutcome {
    guard queue.isEmpty else {
      queue.append(bytes)
      guard isHolding else { return .waits }
      isHolding = false
      return flush()
    }
    switch socket.send(bytes) {
    case .bytes(let count):
      sentBytes += UInt64(count)
      guard count < bytes.count else { return .sent }
      queue.append(bytes.extracting(droppingFirst: count))
      return .waits
    case .wouldBlock:
      queue.append(bytes)
      return .waits
    case .ended, .failed:
      return .failed
    }
  }

  /// Keeps bytes that the peer does not wait for, to go out together with the next ones; if none follow, they never do.
  mutating func hold(_ bytes: Span<UInt8>) {
    guard !bytes.isEmpty else { return }
    if queue.isEmpty { isHolding = true }
    queue.append(bytes)
  }

  /// Sends what waits.
  mutating func flush() -> SendOutcome {
    guard !isHolding else { return .sent }
    while !queue.isEmpty {
      switch queue.withBytes({ bytes in socket.send(bytes) }) {
      case .bytes(let count):
        sentBytes += UInt64(count)
        queue.removeFirst(count)
      case .wouldBlock: return .waits
      case .ended, .failed: return .failed
      }
    }
    return .sent
  }

  /// Forgets what waits: the peer is gone.
  mutating func dropWaiting() {
    queue = ByteQueue()
    isHolding = false
  }

  /// Receives bytes that wait in the kernel.
  func receive(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    unsafe socket.receive(into: buffer)
  }

  /// Whether neither bytes nor the peer's end wait to be read.
  var isQuiet: Bool { !socket.hasInput() }

  /// Ends the sending half of the connection.
  func shutdown() {
    socket.shutdownWrite()
  }

  /// Lets the kernel drop what it still holds for the peer when the socket is closed, instead of keeping it for minutes.
  func resetOnClose() {
    socket.resetOnClose()
  }
}

/// What became of bytes that were to be sent.
enum SendOutcome {
  /// The kernel has all of them.
  case sent
  /// Some wait.
  case waits
  /// The connection is dead.
  case failed
}
