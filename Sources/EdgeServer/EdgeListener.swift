import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeTelemetry

/// A listener of the configuration, the same for all reactors.
final class ListenerContext: Sendable {
  /// Its place in the configuration, and in the metrics.
  let index: Int
  let name: String
  let tls: TLSServerContext?
  /// Whether a client wakes one of the reactors instead of all: they share one socket.
  let isShared: Bool

  init(index: Int, name: String, tls: TLSServerContext?, isShared: Bool) {
    self.index = index
    self.name = name
    self.tls = tls
    self.isShared = isShared
  }
}

/// Accepts clients of one listener on one reactor.
final class EdgeListener: Listener {
  private let listener: ListenerContext
  private let context: ReactorContext

  init(_ socket: SharedSocket, listener: ListenerContext, context: ReactorContext) {
    self.listener = listener
    self.context = context
    super.init(socket, isShared: listener.isShared, on: context.reactor, reserve: context.shared.reserve)
  }

  override func accepted(_ client: consuming Socket, from peer: PeerAddress) {
    let isProxy = peer.ip.map { address in context.snapshot.trustedProxies.contains { $0.contains(address) } } ?? false
    let charge = context.shared.charge(isProxy ? nil : peer.ip)
    // Beyond what deserves a readable refusal: closed before any cryptography.
    if case .unanswered = charge {
      client.resetOnClose()
      return context.shared.release(charge)
    }
    do {
      let tls = try listener.tls.map { server in try TLSSession(server: server, scratch: context.scratch) }
      _ = try ClientConnection(
        socket: client, tls: tls, peer: peer, listener: listener, charge: charge, context: context)
    } catch {
      context.shared.release(charge)
    }
  }

  override func acceptFailed(_ error: SystemError) {
    context.shared.log.write(.warning, "accept.failed", "Accepting clients failed.") { record in
      record[.listener] = .text(listener.name)
      record[.errorType] = .text("\(error)")
    }
  }
}
