import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS
import EdgeWebSocket

/// One connection from the proxy: an upgrade, then an echo of every message, frame by frame, or whole messages for all others.
final class WorkerStream: EventSource {
  private let reactor: Reactor
  private let input: WorkerInput
  private let socket: Socket
  /// Who takes messages to all others; nil for an echo.
  private let listener: WorkerListener?
  private var requests = RequestHeadParser()
  private var frames = FrameReader(sender: .client, maxMessageBytes: .max, checksUTF8: false)
  private var isUpgraded = false
  private var kept: [UInt8] = []
  private var outgoing = ByteQueue()
  private var mask = MaskKey.zero
  /// What has come of a message that all others are to have.
  private var message: [UInt8] = []
  private var messageKind = MessageKind.text

  init(_ socket: consuming Socket, input: WorkerInput, broadcastingBy listener: WorkerListener?, reactor: Reactor) {
    self.input = input
    self.reactor = reactor
    self.socket = socket
    self.listener = listener
  }

  /// Sends bytes at once where nothing waits. Whoever reads too slowly for the others has to go.
  func send(_ bytes: Span<UInt8>) {
    outgoing.append(bytes)
    flush()
    if outgoing.count > maxWaitingBytes { end() }
  }

  override func ready(_ readiness: Readiness) {
    if readiness.contains(.writable) { flush() }
    guard readiness != .writable else { return }
    while isAdded {
      switch input.receive(from: socket, { receive($0) }) {
      case .bytes(let count):
        flush()
        // What is ready is told once: a short read leaves nothing, unless the end is behind it.
        if count < WorkerInput.byteCount, !readiness.contains(.peerClosed) { return }
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
        return try answer(all.span, from: 0)
      }
      try answer(bytes, from: start)
    } catch {
      StandardStreams.writeError("worker: \(error)\n")
      end()
    }
  }

  /// Returns where the frames begin.
  private func upgrade(_ bytes: Span<UInt8>) throws -> Int {
    guard case .complete(let head, let consumed) = try requests.receive(bytes) else { return bytes.count }
    let request = try OpeningRequest(checking: head)
    var answer: [UInt8] = []
    request.acceptance(subprotocol: request.subprotocols.first, sha1: Digest.sha1).serialize(into: &answer)
    outgoing.append(answer)
    isUpgraded = true
    listener?.joined(self)
    return consumed
  }

  private func answer(_ bytes: Span<UInt8>, from start: Int) throws(FrameError) {
    var offset = start
    var reply: [UInt8] = []
    defer { outgoing.append(reply) }
    while true {
      switch try frames.next(bytes, at: offset) {
      case .needMore:
        for index in offset..<bytes.count { kept.append(bytes[index]) }
        return
      case .data(let header, let startsMessage, let end):
        mask = header.maskKey ?? .zero
        if startsMessage { messageKind = header.opcode == .binary ? .binary : .text }
        if listener == nil { appendPlainHeader(header, into: &reply) }
        offset = end
      case .payload(let end, endsFrame: _, let endsMessage):
        let payload = bytes.extracting(offset..<end)
        if let listener {
          append(payload, to: &message)
          if endsMessage { broadcast(by: listener) }
        } else {
          append(payload, to: &reply)
        }
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

  private func appendPlainHeader(_ header: FrameHeader, into reply: inout [UInt8]) {
    let plain = FrameHeader(isFinal: header.isFinal, opcode: header.opcode, maskKey: nil, payloadLength: header.payloadLength)
    FrameWriter.appendHeader(plain, into: &reply)
  }

  /// Adds payload, unmasked.
  private func append(_ payload: Span<UInt8>, to bytes: inout [UInt8]) {
    let first = bytes.count
    unsafe payload.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    var added = bytes.mutableSpan
    mask.apply(to: &added, from: first)
    mask = mask.advanced(by: payload.count)
  }

  private func broadcast(by listener: WorkerListener) {
    var frame: [UInt8] = []
    FrameWriter.appendMessage(messageKind, message.span, into: &frame)
    message = []
    listener.broadcast(frame.span, from: self)
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
    listener?.left(self)
    reactor.remove(self)
  }
}

private let maxWaitingBytes = 64 << 20
