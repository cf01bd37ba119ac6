import EdgeCore
import EdgeIO

/// Bytes on their way to a peer: sent at once where the kernel has room, kept in order where it has not.
struct Outlet {
  /// What became of an attempt to send.
  enum Progress {
    /// Nothing waits any more.
    case drained
    /// Bytes wait for the peer.
    case waiting
    /// The connection is gone.
    case broken
  }

  private var queue = ByteQueue()

  /// How many bytes wait.
  var count: Int { queue.count }

  /// Sends bytes after those that wait.
  mutating func send(_ bytes: [UInt8], to socket: borrowing Socket) -> Progress {
    queue.append(bytes)
    return flush(to: socket)
  }

  /// Sends what waits, as far as the kernel has room.
  mutating func flush(to socket: borrowing Socket) -> Progress {
    while !queue.isEmpty {
      switch queue.withBytes({ socket.send($0) }) {
      case .bytes(let count): queue.removeFirst(count)
      case .wouldBlock: return .waiting
      case .ended, .failed: return .broken
      }
    }
    return .drained
  }
}
