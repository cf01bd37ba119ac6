import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeTelemetry

/// A listener of the configuration, the same for all reactors.
final class ListenerContext: Sendable {
  /// Its place in the metrics.
  let index: Int
  let name: String
  let tls: TLSServerContext?
  /// The HTTP versions that are spoken.
  let protocols: [ClientProtocol]
  /// Whether a client wakes one of the reactors instead of all: they share one socket.
  let isShared: Bool
  /// Whether a connection's first bytes tell where its client comes from.
  let proxyProtocol: Configuration.ProxyProtocol

  init(
    index: Int, name: String, tls: TLSServerContext?, protocols: [ClientProtocol], isShared: Bool,
    proxyProtocol: Configuration.ProxyProtocol
  ) {
    self.index = index
    self.name = name
    self.tls = tls
    self.protocols = protocols
    self.proxyProtocol = proxyProtocol
    self.isShared = isShared
  }
}

/// Accepts clients of one listener on one reactor.
final class EdgeListener: Listener {
  private var listener: ListenerContext
  private let context: ReactorContext
  private let queue: AdmissionQueue

  init(_ socket: SharedSocket, listener: ListenerContext, queue: AdmissionQueue, context: ReactorContext) {
    self.listener = listener
    self.queue = queue
    self.context = context
    super.init(socket, isShared: listener.isShared, on: context.reactor, reserve: context.shared.reserve)
  }

  /// Clients that come from now on are served by what another configuration says of the address.
  func adopt(_ listener: ListenerContext) {
    self.listener = listener
  }

  override func accepted(_ client: consuming Socket, from peer: PeerAddress) {
    let place = context.shared.limits.takePlace(under: context.snapshot.admission, now: context.reactor.now)
    guard listener.proxyProtocol != .off else { return arrived(client, from: peer, place: place) }
    let arrival = ProxiedArrival(client, peer: peer, listener: listener, place: place, context: context) { [weak self, context] in
      // A reload may have taken the listener away meanwhile.
      guard let self else { return context.shared.limits.release($2, now: context.reactor.now) }
      self.arrived($0, from: $1, place: $2)
    }
    arrival.start()
  }

  /// A client is there, and it is known where it comes from.
  private func arrived(_ client: consuming Socket, from peer: PeerAddress, place: ConnectionCharge) {
    let now = context.reactor.now
    let isProxy = context.snapshot.trustedProxies.contains(peer)
    let address = isProxy ? nil : peer.ip
    let isBanned = context.shared.rules.ban(of: address) != nil
    let charge = context.shared.limits.charge(
      place, to: address, isBanned: isBanned, under: context.snapshot.admission, now: now)
    let arrived = ArrivedClient(client, peer: peer, listener: listener, charge: charge, now: now)
    switch charge {
    case .admitted: queue.arrived(arrived)
    case .refused, .unanswered: arrived.begin(context)
    }
  }

  override func acceptFailed(_ error: SystemError) {
    context.shared.log.write(.warning, "accept.failed", "Accepting clients failed.") { line in
      line.add(.listener, listener.name)
      line.add(.errorType, "\(error)")
    }
  }
}
