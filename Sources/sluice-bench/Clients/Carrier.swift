import EdgeCore
import EdgeIO
import EdgeTLS

/// One TCP connection to the proxy, with TLS or without, that carries clients. Subclass it for a version of HTTP.
class Carrier: EventSource {
  final let context: LoadContext
  private unowned let load: Load
  private(set) final var tlsInfo: TLSInfo?
  private var wire: Wire?
  private var stage = Stage.connecting

  /// Begins to connect; the reactor holds the connection from here on.
  ///
  /// - Parameter index: which of the clients' addresses it comes from.
  init(index: Int, load: Load) throws(LoadFailure) {
    self.load = load
    context = load.context
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

  // MARK: For subclasses

  /// Called once, when bytes may be sent.
  func began() {}

  /// Called with bytes that came.
  func received(_ bytes: Span<UInt8>) {}

  /// Called when all bytes that had come were received.
  func receivedAll() {}

  /// Sends bytes of a client's WebSocket.
  func send(_ bytes: Span<UInt8>, of client: Client) {}

  /// A client wants no more.
  func close(_ client: Client) {}

  /// Sends bytes of the connection.
  final func sendRaw(_ bytes: Span<UInt8>) {
    wire?.send(bytes)
  }

  /// Ends the connection.
  final func end() {
    wire?.sayEnd()
    abandon()
  }

  /// Ends the connection, and the load with it.
  final func fail(_ failure: LoadFailure) {
    abandon()
    load.fail(failure)
  }

  /// Whether the connection has ended.
  final var isOver: Bool { stage == .over }

  /// The means to resume the TLS session.
  final func ticket() -> TLSClientTicket? {
    wire?.ticket()
  }

  final override func ready(_ readiness: Readiness) {
    if readiness.contains(.writable) {
      if stage == .connecting { connected() } else { wire?.flush() }
    }
    guard readiness.contains(.readable) || !readiness.isDisjoint(with: [.peerClosed, .hungUp, .error]) else { return }
    read(toEnd: !readiness.isDisjoint(with: [.peerClosed, .hungUp, .error]))
    if stage == .open { receivedAll() }
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
    guard context.target.tls != nil else { return open() }
    stage = .securing
    if case .failed(let error) = wire?.begin() { fail(.tls(error)) }
  }

  private func open() {
    stage = .open
    began()
  }

  /// Reads until nothing is left: a loop, since the reactor tells of bytes once.
  ///
  /// - Parameter toEnd: whether the end may lie behind the last bytes.
  private func read(toEnd: Bool) {
    while true {
      switch stage {
      case .connecting, .over: return
      case .securing: guard secure() else { return }
      case .open: guard handle(wire?.receive()), toEnd || wire?.isDrained == false else { return }
      }
    }
  }

  /// Returns whether to go on.
  private func secure() -> Bool {
    guard let step = wire?.handshake() else { return false }
    switch step {
    case .some(let info):
      tlsInfo = info
      open()
      return handle(wire?.readRest())
    case .wouldBlock: return false
    case .ended: fail(.ended("in the TLS handshake"))
    case .failed(let error): fail(.tls(error))
    }
    return false
  }

  private func handle(_ step: WireStep<Int>?) -> Bool {
    switch step {
    case .some(.some(let count)):
      if count > 0 { context.withPlaintext(count) { received($0) } }
      return true
    case .some(.wouldBlock), nil: return false
    case .some(.ended): fail(.ended("before its time"))
    case .some(.failed(let error)): fail(.tls(error))
    }
    return false
  }

  private func abandon() {
    guard stage != .over else { return }
    stage = .over
    context.reactor.remove(self)
    wire = nil
  }
}

/// How far a connection is.
private enum Stage {
  case connecting
  case securing
  case open
  case over
}
