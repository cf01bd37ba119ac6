import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTLS
import EdgeTelemetry

/// Lets accepted clients of one reactor in at the pace of the edge's ramp.
///
/// Whoever has to wait costs a descriptor and a small object: TLS and a connection's own objects begin when its turn comes, and
/// its deadlines too. Who has hung up meanwhile is let go instead, and costs no cryptography.
final class AdmissionQueue: EventSource {
  private let context: ReactorContext
  private var queue = PacedQueue<ArrivedClient>()

  init(_ context: ReactorContext) {
    self.context = context
  }

  /// Begins to serve. Call it once.
  func start() {
    context.reactor.add(self)
  }

  /// A client was accepted, and has its place.
  func arrived(_ client: ArrivedClient) {
    let now = context.reactor.now
    let ramp = context.snapshot.admission.ramp
    // Nearly always nobody waits, and the slot is now.
    var offered = queue.isUnused ? ramp.reserveSlot(now: now) : nil
    if case .begins(at: let slot)? = offered, slot <= now { return client.begin(context) }
    beginDue()
    var late = Duration.zero
    let waits = queue.append(client, now: now) {
      switch offered.take() ?? ramp.reserveSlot(now: now) {
      case .begins(at: let slot): return slot
      case .tooLate(let retryAfter):
        late = retryAfter
        return nil
      }
    }
    guard waits else { return refuse(client, retryAfter: late) }
    context.metrics.waitingClientsChanged(by: 1)
    beginDue()
  }

  /// Lets go of all who wait, and takes nobody any more.
  func stop() {
    while let client = queue.popFirst() { letGo(client) }
    context.reactor.remove(self)
  }

  override func timerFired() {
    beginDue()
  }

  override func turn() {
    beginDue()
  }

  /// A few in each turn, so that a crowd does not hold up those who are in.
  private func beginDue() {
    for _ in 0..<Self.maxPerTurn {
      guard let client = queue.popDue(now: context.reactor.now, isGone: isGone) else { break }
      context.metrics.waitingClientsChanged(by: -1)
      client.begin(context)
    }
    guard let slot = queue.nextSlot else { return }
    if slot <= context.reactor.now { context.reactor.runLater(self) } else { context.reactor.setTimer(self, at: slot) }
  }

  private static let maxPerTurn = 16

  private func isGone(_ client: ArrivedClient) -> Bool {
    guard client.isGone(now: context.reactor.now) else { return false }
    letGo(client)
    return true
  }

  private func letGo(_ client: ArrivedClient) {
    context.metrics.waitingClientsChanged(by: -1)
    client.close(reset: false)
    context.shared.limits.release(client.charge, now: context.reactor.now)
  }

  private func refuse(_ client: ArrivedClient, retryAfter: Duration) {
    guard case .admitted(let place) = client.charge else { return }
    client.charge = context.shared.limits.turnAway(
      place, retryAfter: retryAfter, under: context.snapshot.admission, now: context.reactor.now)
    client.begin(context)
  }
}

/// A client that was accepted, before anything is done for it.
final class ArrivedClient {
  private var socket: Socket?
  private let peer: PeerAddress
  private let listener: ListenerContext
  private let arrived: Instant
  /// What the connection holds of the limits.
  var charge: ConnectionCharge

  init(_ socket: consuming Socket, peer: PeerAddress, listener: ListenerContext, charge: ConnectionCharge, now: Instant) {
    self.socket = consume socket
    arrived = now
    self.peer = peer
    self.listener = listener
    self.charge = charge
  }

  /// Whether the client has hung up while it waited. One without TLS may have ended its sending side behind a whole request.
  func isGone(now: Instant) -> Bool {
    now > arrived && socket?.isHungUp(orEnded: listener.tls != nil) ?? true
  }

  /// Begins the connection. Who is not worth an answer is reset, before any cryptography.
  func begin(_ context: ReactorContext) {
    if case .unanswered(let overload) = charge {
      context.turnedAway(peer, listener: listener, overload)
      close(reset: true)
      return context.shared.limits.release(charge, now: context.reactor.now)
    }
    guard let socket = socket.take() else { return }
    do {
      let tls = try listener.tls.map { server in try TLSSession(server: server, scratch: context.scratch) }
      _ = try ClientConnection(socket: socket, tls: tls, peer: peer, listener: listener, charge: charge, context: context)
    } catch {
      context.shared.limits.release(charge, now: context.reactor.now)
    }
  }

  /// Closes the socket.
  func close(reset: Bool) {
    if reset { socket?.resetOnClose() }
    socket = nil
  }
}
