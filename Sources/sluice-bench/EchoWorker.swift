import ArgumentParser
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS
import EdgeWebSocket
import Glibc

/// `sluice-bench worker`: something cheap behind the proxy.
struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Echoes WebSocket messages behind a proxy, until SIGTERM or SIGINT.")

  @Option(help: "The Unix socket to listen on.")
  var listen: String

  func run() throws {
    SignalSource.ignoreBrokenPipes()
    DescriptorLimit.raise()
    let reactor = try Reactor()
    let signals = try SignalSource([SIGINT, SIGTERM]) { [unowned reactor] _ in reactor.stop() }
    try signals.attach(to: reactor)
    let socket = try Socket.listen(unixPath: listen)
    let identity = FileSystem.fileIdentity(listen)
    let listener = EchoListener(SharedSocket(socket), reactor: reactor)
    try listener.start()
    reactor.run()
    if let identity { FileSystem.removeSocket(listen, identity: identity) }
  }
}

private final class EchoListener: Listener {
  private let reactor: Reactor
  private let input = EchoInput()

  init(_ socket: SharedSocket, reactor: Reactor) {
    self.reactor = reactor
    super.init(socket, isShared: false, on: reactor)
  }

  override func accepted(_ client: consuming Socket, from peer: PeerAddress) {
    let descriptor = client.descriptor
    let echo = EchoStream(client, input: input, reactor: reactor)
    do {
      try reactor.add(echo, descriptor: descriptor, interest: [.readable, .writable])
    } catch {
      StandardStreams.writeError("\(error)\n")
    }
  }
}

/// Where every connection receives into: nothing stays here beyond its turn.
private final class EchoInput {
  private var bytes = [UInt8](repeating: 0, count: inputBytes)

  /// Receives bytes, and calls `body` with them.
  func receive(from socket: borrowing Socket, _ body: (Span<UInt8>) -> Void) -> IOResult {
    unsafe bytes.withUnsafeMutableBytes { buffer in
      let result = unsafe socket.receive(into: buffer)
      if case .bytes(let count) = result { unsafe body(Span(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))) }
      return result
    }
  }
}

/// One connection from the proxy: an upgrade, then an echo of every message, frame by frame.
private final class EchoStream: EventSource {
  private let reactor: Reactor
  private let input: EchoInput
  private let socket: Socket
  private var requests = RequestHeadParser()
  private var frames = FrameReader(sender: .client, maxMessageBytes: .max, checksUTF8: false)
  private var isUpgraded = false
  private var kept: [UInt8] = []
  private var outgoing = ByteQueue()
  private var mask = MaskKey.zero

  init(_ socket: consuming Socket, input: EchoInput, reactor: Reactor) {
    self.input = input
    self.reactor = reactor
    self.socket = socket
  }

  override func ready(_ readiness: Readiness) {
    if readiness.contains(.writable) { flush() }
    guard readiness != .writable else { return }
    while isAdded {
      switch input.receive(from: socket, { receive($0) }) {
      case .bytes(let count):
        flush()
        // What is ready is told once: a short read leaves nothing, unless the end is behind it.
        if count < inputBytes, !readiness.contains(.peerClosed) { return }
      case .wouldBlock: return
      case .ended, .failed: return end()
      }
    }
  }

  private func receive(_ bytes: Span<UInt8>) {
    do {
      let start = isUpgraded ? 0 : try upgrade(bytes)
      guard isUpgraded else { return }
      guard kept.isEmpty else {
        for index in start..<bytes.count { kept.append(bytes[index]) }
        let all = kept
        kept = []
        return try echo(all.span, from: 0)
      }
      try echo(bytes, from: start)
    } catch {
      StandardStreams.writeError("worker: \(error)\n")
      end()
    }
  }

  /// Returns where the frames begin.
  private func upgrade(_ bytes: Span<UInt8>) throws -> Int {
    guard case .complete(let head, let consumed) = try requests.receive(bytes) else { return bytes.count }
    var answer: [UInt8] = []
    try OpeningRequest(checking: head).acceptance(subprotocol: nil, sha1: Digest.sha1).serialize(into: &answer)
    outgoing.append(answer)
    isUpgraded = true
    return consumed
  }

  private func echo(_ bytes: Span<UInt8>, from start: Int) throws(FrameError) {
    var offset = start
    var reply: [UInt8] = []
    defer { outgoing.append(reply) }
    while true {
      switch try frames.next(bytes, at: offset) {
      case .needMore:
        for index in offset..<bytes.count { kept.append(bytes[index]) }
        return
      case .data(let header, startsMessage: _, let end):
        mask = header.maskKey ?? .zero
        let plain = FrameHeader(
          isFinal: header.isFinal, opcode: header.opcode, maskKey: nil, payloadLength: header.payloadLength)
        FrameWriter.appendHeader(plain, into: &reply)
        offset = end
      case .payload(let end, endsFrame: _, endsMessage: _):
        let first = reply.count
        unsafe bytes.extracting(offset..<end).withUnsafeBufferPointer { unsafe reply.append(contentsOf: $0) }
        var payload = reply.mutableSpan
        mask.apply(to: &payload, from: first)
        mask = mask.advanced(by: end - offset)
        offset = end
      case .ping(let body, let end):
        FrameWriter.appendPong(ControlPayload(body, in: bytes), into: &reply)
        offset = end
      case .pong(_, let end):
        offset = end
      case .close(let code, reason: _, let end):
        FrameWriter.appendClose(code, into: &reply)
        offset = end
      case .afterClose:
        return
      }
    }
  }

  private func flush() {
    while !outgoing.isEmpty {
      switch outgoing.withBytes({ socket.send($0) }) {
      case .bytes(let count): outgoing.removeFirst(count)
      case .wouldBlock: return
      case .ended, .failed: return end()
      }
    }
  }

  private func end() {
    reactor.remove(self)
  }
}

private let inputBytes = 65_536
