import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgePolicy
import EdgeRelay
import EdgeTLS
import EdgeTelemetry

/// A client as its requests and its WebSocket see it, whatever carries its bytes.
///
/// The conversation that goes on is here, and its one timer. How bytes come and go, what becomes of the client between two requests
/// and when it counts is up to the subclass.
class Client: EventSource {
  let id: ConnectionID
  let listener: ListenerContext
  /// The other end of the TCP connection: the client itself, or a proxy in front.
  let peer: PeerAddress
  /// What the connections of its reactor share.
  let context: ReactorContext
  final var phase: ClientPhase
  private final var timerSet = Instant.distantFuture

  init(peer: PeerAddress, listener: ListenerContext, phase: ClientPhase, context: ReactorContext) {
    id = context.nextConnectionID()
    self.listener = listener
    self.peer = peer
    self.context = context
    self.phase = phase
  }

  // MARK: What carries it

  /// What the client came by.
  var clientProtocol: ClientProtocol { abstract() }

  /// The version of TLS, once the handshake is done.
  var tlsVersion: TLSVersion? { abstract() }

  /// The certificate that the client showed, verified; asked for with each request, and kept by TLS alone.
  var certificate: ClientCertificate? { abstract() }

  /// The limit that the client is over, if it is over one: every request of it is refused.
  var overload: Overload? { abstract() }

  /// What the messages of all connections of the client's address are charged to, where its coming has charged it.
  var meters: [HeldMeter] { abstract() }

  /// Whether an attempt at a WebSocket is paid for already: the first on a TCP connection is.
  func beginAttempt() -> Bool { abstract() }

  /// Whether the place that the TCP connection holds of its address is this client's to use for a WebSocket: one of them has it.
  func usesConnectionPlace() -> Bool { abstract() }

  /// Whether the client has ended its side, and what it said before may not have been read yet.
  var isEnding: Bool { abstract() }

  /// Bytes that wait for the client to take them.
  var waitingBytes: Int { abstract() }

  /// Bytes that were taken, over the client's life.
  var sentBytes: UInt64 { abstract() }

  /// Sends `bytes`, or keeps what the client does not take yet.
  ///
  /// - Returns: whether the client keeps up: nothing waits for it.
  @discardableResult
  func send(_ bytes: Span<UInt8>) -> Bool { abstract() }

  /// Sends the head of an answer, and what is known to come behind it.
  func send(_ head: ResponseHead, _ rest: ResponseRest) { abstract() }

  /// Leaves what the client sends where it is, until `resumeReading`.
  func pauseReading() { abstract() }

  func resumeReading() { abstract() }

  /// The answer to the exchange's request is out: another may follow, or nothing does.
  ///
  /// - Parameter keepAlive: whether the request's end can be told from the beginning of the next.
  func finishExchange(keepAlive: Bool) { abstract() }

  /// Everything is said: sends what waits, ends the sending side, and waits for the client's end.
  func linger() { abstract() }

  /// Ends the client at once, in the middle of whatever goes on.
  func abort() { abstract() }

  /// Ends the client if no request has come, or none after the last.
  func closeIfIdle() { abstract() }

  /// The edge drains: an idle client goes, a WebSocket is closed with 1012 at `time`, a request may finish.
  func drain(at time: Instant) { abstract() }

  private func abstract() -> Never {
    preconditionFailure("every kind of client has its own")
  }
}

/// What comes behind the head of an answer.
enum ResponseRest {
  /// Nothing: the answer is whole.
  case nothing
  /// All of its body.
  case body([UInt8])
  /// Bytes as they come: a body, a WebSocket, or after an interim answer another head.
  case more
}

// MARK: Whom it speaks with

extension Client {
  /// Whether the client speaks TLS to the edge itself.
  final var isEncrypted: Bool { listener.tls != nil }

  /// What the reactor's connections go by.
  final var snapshot: Snapshot { context.snapshot }

  /// The WebSocket that goes on, if one does.
  final var tunnel: Tunnel? {
    if case .talking(.tunnel(let tunnel)) = phase { tunnel } else { nil }
  }

  /// The request that is being answered, if one is.
  final var exchange: Exchange? {
    if case .talking(.exchange(let exchange)) = phase { exchange } else { nil }
  }

  /// The WebSocket that the edge has accepted itself, if there is one.
  final var reception: Reception? {
    if case .talking(.reception(let reception)) = phase { reception } else { nil }
  }

  /// A request has come.
  final func begin(_ head: RequestHead) {
    let exchange = Exchange(head, client: self, context: context)
    phase = .talking(.exchange(exchange))
    exchange.begin()
    deadlineMoved()
  }

  /// The edge has accepted the exchange's WebSocket itself, and speaks with its client.
  final func receive(_ reception: Reception) {
    phase = .talking(.reception(reception))
    resumeReading()
    deadlineMoved()
  }

  /// The client has said what the exchange needs to go on; what it says next is for a worker.
  final func endReception(for exchange: Exchange) {
    phase = .talking(.exchange(exchange))
    pauseReading()
  }

  /// The WebSocket that the edge has accepted itself is over before a worker had it.
  ///
  /// - Parameter reception: the one that the client has spoken with already, which knows where a frame begins.
  final func dismiss(_ close: PendingClose, by reception: Reception?) {
    guard exchange != nil else { return }
    reception?.dismiss(close)
    receive(reception ?? Reception(dismissing: close, client: self, context: context))
  }

  /// Everything is said on both sides of a WebSocket that no worker had.
  final func finishReception() {
    guard reception != nil else { return }
    linger()
  }

  /// The exchange has become a WebSocket.
  ///
  /// - Parameter started: when its request came.
  final func upgrade(to tunnel: Tunnel, started: Instant) {
    phase = .talking(.tunnel(tunnel))
    context.tunnelOpened(self, tunnel, started: started)
    if snapshot.route(named: tunnel.route.name) !== tunnel.route { tunnel.adopt(snapshot) }
    tunnel.adoptThrottles(context.shared.rules)
    tunnel.departIfDraining()
    tunnel.closeIfReplaced()
    resumeReading()
    deadlineMoved()
  }

  /// The tunnel has nothing more for the client.
  final func finishTunnel() {
    guard let tunnel else { return }
    context.tunnelClosed(self, tunnel)
    tunnel.caller.giveBackPlaces()
    linger()
  }

  /// Whoever the client speaks with hears that it is gone.
  final func tellLost() {
    switch phase {
    case .talking(.exchange(let exchange)): exchange.clientLost()
    case .talking(.reception(let reception)): reception.clientLost()
    case .talking(.tunnel(let tunnel)):
      // What the tunnel still has to say to this client goes nowhere.
      phase = .closed
      tunnel.clientEnded()
      context.tunnelClosed(self, tunnel)
      tunnel.caller.giveBackPlaces()
    case .talking(.session(let session)): session.connectionLost()
    case .handshaking, .awaitingFirstBytes, .readingHead, .betweenRequests, .lingering, .closed: break
    }
  }
}

// MARK: Time

extension Client {
  /// Some deadline may have come nearer.
  final func deadlineMoved() {
    let deadline = phase.nextDeadline
    guard isAdded, deadline < timerSet else { return }
    timerSet = deadline
    context.reactor.setTimer(self, at: deadline)
  }

  /// The timer has fired, and what was due is done.
  final func setNextTimer() {
    timerSet = .distantFuture
    deadlineMoved()
  }
}
