import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTelemetry

/// An accepted connection whose first bytes tell where its client comes from (`proxy_protocol`).
///
/// The bytes are looked at where they are, in the kernel, and only the header is taken out: what follows is the client's, and
/// nothing of it is kept here. A connection that waits for its header has its place among the edge's.
final class ProxiedArrival: EventSource {
  private var socket: Socket?
  private let peer: PeerAddress
  private let listener: ListenerContext
  private let context: ReactorContext
  /// The connection's place among the edge's.
  private let place: ConnectionCharge
  private let deadline: Instant
  private let arrived: (consuming Socket, PeerAddress, ConnectionCharge) -> Void

  /// - Parameter arrived: gets the connection, where its client comes from, and its place.
  init(
    _ socket: consuming Socket, peer: PeerAddress, listener: ListenerContext, place: ConnectionCharge, context: ReactorContext,
    arrived: @escaping (consuming Socket, PeerAddress, ConnectionCharge) -> Void
  ) {
    self.socket = consume socket
    self.peer = peer
    self.listener = listener
    self.place = place
    self.context = context
    self.arrived = arrived
    deadline = context.reactor.now + context.snapshot.timeouts.handshake
  }

  /// Begins to wait. Call it once.
  func start() {
    guard let descriptor = socket?.descriptor,
      (try? context.reactor.add(self, descriptor: descriptor, interest: .readable)) != nil
    else { return end() }
    context.reactor.setTimer(self, at: deadline)
  }

  override func ready(_ readiness: Readiness) {
    look(hasEnded: !readiness.isDisjoint(with: [.peerClosed, .hungUp, .error]))
  }

  override func timerFired() {
    refuse("proxy_header_timeout")
  }

  private func look(hasEnded: Bool) {
    do throws(ProxyHeaderError) {
      switch try socket?.peekProxyHeader() ?? .needMore {
      case .needMore: if hasEnded { refuse("proxy_header_missing") }
      case .absent where listener.proxyProtocol == .optional: handOver(from: peer)
      case .absent: refuse("proxy_header_missing")
      case .header(let header, let length): took(header, length: length)
      }
    } catch {
      refuse(error.rawValue)
    }
  }

  private func took(_ header: ProxyHeader, length: Int) {
    guard context.snapshot.trustedProxies.contains(peer) else {
      context.metrics.forwardingSpoofed()
      return refuse("proxy_not_trusted")
    }
    guard socket?.discard(length) == true else { return end() }
    switch header {
    case .client(let client): handOver(from: client)
    case .proxyItself: handOver(from: peer)
    }
  }

  private func handOver(from client: PeerAddress) {
    // Closing is left to whoever has the socket then.
    context.reactor.remove(self)
    guard let socket = socket.take(), !context.isDraining else {
      return context.shared.limits.release(place, now: context.reactor.now)
    }
    arrived(socket, client, place)
  }

  /// Nobody knows whose connection it is: it gets no answer.
  private func refuse(_ word: String) {
    context.proxyHeaderRefused(peer, listener: listener, word)
    socket?.resetOnClose()
    end()
  }

  private func end() {
    context.reactor.remove(self, closing: true)
    context.shared.limits.release(place, now: context.reactor.now)
    socket = nil
  }
}

extension Socket {
  /// Reads the header that waits in the kernel, and leaves it there.
  fileprivate borrowing func peekProxyHeader() throws(ProxyHeaderError) -> ProxyHeader.Reading {
    var result = Result<ProxyHeader.Reading, ProxyHeaderError>.success(.needMore)
    withPeekedBytes(upTo: ProxyHeader.maxBytes) { bytes in
      result = Result { () throws(ProxyHeaderError) in try ProxyHeader.read(bytes) }
    }
    return try result.get()
  }
}
