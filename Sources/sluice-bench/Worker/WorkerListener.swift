import EdgeCore
import EdgeIO

/// Accepts the proxy's connections, and carries messages from one to all others.
final class WorkerListener: Listener {
  private let broadcasts: Bool
  private let reactor: Reactor
  private let input = WorkerInput()
  private var streams: [ObjectIdentifier: WorkerStream] = [:]

  init(_ socket: SharedSocket, broadcasts: Bool, reactor: Reactor) {
    self.broadcasts = broadcasts
    self.reactor = reactor
    super.init(socket, isShared: false, on: reactor)
  }

  override func accepted(_ client: consuming Socket, from peer: PeerAddress) {
    let descriptor = client.descriptor
    let stream = WorkerStream(client, input: input, broadcastingBy: broadcasts ? self : nil, reactor: reactor)
    do {
      try reactor.add(stream, descriptor: descriptor, interest: [.readable, .writable])
    } catch {
      StandardStreams.writeError("\(error)\n")
    }
  }

  /// A stream was upgraded: it hears from now on what others say.
  func joined(_ stream: WorkerStream) {
    streams[ObjectIdentifier(stream)] = stream
  }

  func left(_ stream: WorkerStream) {
    streams[ObjectIdentifier(stream)] = nil
  }

  /// Gives a frame to all but the one that it came from.
  func broadcast(_ frame: Span<UInt8>, from sender: WorkerStream) {
    for stream in Array(streams.values) where stream !== sender { stream.send(frame) }
  }
}

/// Where every connection receives into: nothing stays here beyond its turn.
final class WorkerInput {
  static let byteCount = 65_536
  private var bytes = [UInt8](repeating: 0, count: byteCount)

  /// Receives bytes, and calls `body` with them.
  func receive(from socket: borrowing Socket, _ body: (Span<UInt8>) -> Void) -> IOResult {
    unsafe bytes.withUnsafeMutableBytes { buffer in
      let result = unsafe socket.receive(into: buffer)
      if case .bytes(let count) = result { unsafe body(Span(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))) }
      return result
    }
  }
}
