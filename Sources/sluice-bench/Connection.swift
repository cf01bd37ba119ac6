import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS
import EdgeWebSocket

/// One client: connects, upgrades, checks the 101, reads frames and answers pings. Subclass it for what is between.
class Connection: EventSource {
  /// What the load that made it tells it apart by.
  let index: Int
  final let context: LoadContext
  private unowned let load: Load
  private(set) final var tlsInfo: TLSInfo?
  private var wire: Wire?
  private var stage = Stage.connecting
  private let opening: WorkerHandshake
  private var answers = ResponseHeadParser()
  private var frames = FrameReader(sender: .worker, maxMessageBytes: .max, checksUTF8: false)
  private var kept: [UInt8] = []

  /// Begins to connect; the reactor holds the connection from here on.
  init(index: Int, load: Load) throws(LoadFailure) {
    self.index = index
    self.load = load
    context = load.context
    let key = (0..<HandshakeKey.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &load.context.numbers) }
    opening = WorkerHandshake(key: HandshakeKey(randomBytes: key), subprotocols: [])
    super.init()
    let endpoint = context.target.endpoint
    switch Socket.connect(tcp: endpoint.address, port: endpoint.port, from: context.target.source(of: index)) {
    case .connected(let socket): try take(socket)
    case .connecting(let socket): try take(socket)
    case .refused: throw .ended("before it began: nobody listens at \(endpoint.address):\(endpoint.port)")
    case .failed(let error): throw .system(error)
    case .backlogFull: throw .ended("before it began")
    case .missing: throw .ended("before it began")
    }
  }

  /// Called once, when the 101 was checked.
  func opened() {}

  /// Called for payload of a message, in order; `bytes` is all of it that has come.
  ///
  /// - Parameter endsMessage: whether it is the message's last.
  func received(_ bytes: Span<UInt8>, endsMessage: Bool) {}

  /// Sends bytes of the WebSocket.
  final func send(_ bytes: Span<UInt8>) {
    wire?.send(bytes)
  }

  /// Ends the connection.
  final func close() {
    wire?.sayEnd()
    abandon()
  }

  /// The means to resume this connection's session.
  final func ticket() -> TLSClientTicket? {
    wire?.ticket()
  }

  /// Ends the connection, and the load with it.
  final func fail(_ failure: LoadFailure) {
    abandon()
    load.fail(failure)
  }

  final override func ready(_ readiness: Readiness) {
    if readiness.contains(.writable) {
      if stage == .connecting { connected() } else { wire?.flush() }
    }
    if readiness.contains(.readable) || !readiness.isDisjoint(with: [.peerClosed, .hungUp, .error]) { read() }
  }

  private func take(_ socket: consuming Socket) throws(LoadFailure) {
    let descriptor = socket.descriptor
    do {
      wire = try Wire(socket, context: context)
      try context.reactor.add(self, descriptor: descriptor, interest: [.readable, .writable])
    } catch let error as SystemError {
      throw .system(error)
    } catch {
      throw .tls(.resources)
    }
  }

  private func connected() {
    if let error = wire?.connectError() { return fail(.system(error)) }
    guard context.target.tls != nil else { return upgrade() }
    stage = .securing
    if case .failed(let error) = wire?.begin() { fail(.tls(error)) }
  }

  private func upgrade() {
    stage = .upgrading
    var head = context.target.request
    for field in opening.fields { head.fields.add(field) }
    var bytes: [UInt8] = []
    head.serialize(into: &bytes)
    send(bytes.span)
  }

  /// Reads until nothing is left: a loop, since the reactor tells of bytes once.
  private func read() {
    while true {
      switch stage {
      case .connecting, .over: return
      case .securing: guard secure() else { return }
      case .upgrading, .open: guard receive() else { return }
      }
    }
  }

  /// Returns whether to go on.
  private func secure() -> Bool {
    guard let step = wire?.handshake() else { return false }
    switch step {
    case .some(let info):
      tlsInfo = info
      upgrade()
      return handle(wire?.readRest(), after: 0)
    case .wouldBlock: return false
    case .ended: fail(.ended("in the TLS handshake"))
    case .failed(let error): fail(.tls(error))
    }
    return false
  }

  private func receive() -> Bool {
    let keptCount = context.place(kept)
    return handle(wire?.receive(after: keptCount), after: keptCount)
  }

  private func handle(_ step: WireStep<Int>?, after keptCount: Int) -> Bool {
    switch step {
    case .some(.some(let count)):
      guard count > 0 else { return true }
      context.withPlaintext(keptCount + count) { process($0) }
      return true
    case .some(.wouldBlock), nil: return false
    case .some(.ended): fail(.ended(stage == .open ? "while it was open" : "instead of an answer"))
    case .some(.failed(let error)): fail(.tls(error))
    }
    return false
  }

  private func process(_ bytes: Span<UInt8>) {
    kept = []
    var offset = 0
    if stage == .upgrading {
      guard let end = readAnswer(bytes) else { return }
      offset = end
    }
    do {
      try readFrames(bytes, from: offset)
    } catch {
      fail(.webSocket(error.rawValue))
    }
  }

  /// Returns where the frames begin, once the 101 is whole and checked.
  private func readAnswer(_ bytes: Span<UInt8>) -> Int? {
    do {
      guard case .complete(let head, let consumed) = try answers.receive(bytes) else { return nil }
      guard head.status == 101 else {
        fail(.answer("\(head.status) \(head.reason)"))
        return nil
      }
      _ = try opening.check(head, sha1: Digest.sha1)
      stage = .open
      opened()
      load.opened(self)
      return consumed
    } catch {
      fail(.answer("\(error)"))
      return nil
    }
  }

  private func readFrames(_ bytes: Span<UInt8>, from start: Int) throws(FrameError) {
    var offset = start
    while stage == .open {
      switch try frames.next(bytes, at: offset) {
      case .needMore:
        for index in offset..<bytes.count { kept.append(bytes[index]) }
        return
      case .data(_, startsMessage: _, let end):
        offset = end
      case .payload(let end, endsFrame: _, let endsMessage):
        received(bytes.extracting(offset..<end), endsMessage: endsMessage)
        offset = end
      case .ping(let body, let end):
        var pong: [UInt8] = []
        FrameWriter.appendPong(ControlPayload(body, in: bytes), maskKey: nextMask(), into: &pong)
        send(pong.span)
        offset = end
      case .pong(_, let end):
        offset = end
      case .close(let code, reason: _, end: _):
        return fail(.webSocket("closed with \(code?.rawValue ?? 1005)"))
      case .afterClose:
        return
      }
    }
  }

  /// A mask key for the next frame.
  final func nextMask() -> MaskKey {
    MaskKey(rawValue: UInt32(truncatingIfNeeded: context.numbers.next()))
  }

  private func abandon() {
    guard stage != .over else { return }
    stage = .over
    context.reactor.remove(self)
    wire = nil
    kept = []
  }
}

/// How far a connection is.
private enum Stage {
  case connecting
  case securing
  case upgrading
  case open
  case over
}
