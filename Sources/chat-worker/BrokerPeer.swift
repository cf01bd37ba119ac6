import ChatCore
import EdgeCore
import EdgeIO

/// Who a broker connection reports to.
protocol BrokerPeerOwner: AnyObject {
  /// A whole frame came. An error drops the connection.
  func received(_ payload: [UInt8], from peer: BrokerPeer) throws(BrokerCodecError)
  /// The connection is gone, and with it the peer.
  func ended(_ peer: BrokerPeer)
}

/// One connection between two processes of the embedded broker, seen from either end.
final class BrokerPeer: EventSource {
  /// Who the other end said it is; nil before its hello, and for the leader.
  var node: NodeID?
  private let socket: Socket
  private let reactor: Reactor
  private unowned let owner: any BrokerPeerOwner
  private var reader = BrokerFrameReader()
  private var outlet = Outlet()
  private var isBroken = false
  private var inlet = Inlet(capacity: 64 * 1024)

  init(_ socket: consuming Socket, reactor: Reactor, owner: any BrokerPeerOwner) throws(SystemError) {
    self.socket = socket
    self.reactor = reactor
    self.owner = owner
    super.init()
    try reactor.add(self, descriptor: self.socket.descriptor, interest: .readable)
  }

  /// Whether everything that was sent is with the kernel, which delivers it even if this process dies.
  var isFlushed: Bool { outlet.count == 0 }

  /// Sends a frame. A peer that lets too much wait is dropped: it comes back and is told everything anew.
  func send(_ frame: [UInt8]) {
    guard !isBroken else { return }
    guard outlet.count + frame.count <= maxQueuedBytes else { return fail() }
    advance(outlet.send(frame, to: socket))
  }

  /// Drops the connection without telling the owner.
  func close() {
    isBroken = true
    reactor.remove(self)
  }

  override func ready(_ readiness: Readiness) {
    if readiness.contains(.writable), !isBroken { advance(outlet.flush(to: socket)) }
    if !readiness.subtracting(.writable).isEmpty { read() }
  }

  override func turn() {
    guard isBroken else { return read() }
    reactor.remove(self)
    owner.ended(self)
  }

  private func read() {
    for _ in 0..<readsPerTurn {
      guard !isBroken else { return }
      switch inlet.receive(from: socket) {
      case .bytes(let count):
        inlet.withBytes(0..<count) { reader.receive($0) }
        do {
          while !isBroken, let payload = try reader.next() { try owner.received(payload, from: self) }
        } catch {
          return fail()
        }
      case .wouldBlock: return
      case .ended, .failed: return fail()
      }
    }
    reactor.runLater(self)
  }

  private func advance(_ progress: Outlet.Progress) {
    switch progress {
    case .drained: reactor.modify(self, interest: .readable)
    case .waiting: reactor.modify(self, interest: [.readable, .writable])
    case .broken: fail()
    }
  }

  /// Ends the connection from within any call: the owner hears of it in a turn of its own.
  private func fail() {
    isBroken = true
    reactor.runLater(self)
  }
}

/// A description of all rooms fits.
private let maxQueuedBytes = 256 * 1024 * 1024
private let readsPerTurn = 4
