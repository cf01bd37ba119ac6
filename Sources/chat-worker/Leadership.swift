import ChatCore
import EdgeCore
import EdgeIO

/// What the leading process has besides its clients: the lock, the followers' connections, and the broker's state.
final class Leadership: EventSource {
  private let lock: FileLock
  private let node: NodeID
  private let reactor: Reactor
  private unowned let listener: any BrokerListener
  private var state: BrokerState
  private var door: Door?
  private var guests: [ObjectIdentifier: BrokerPeer] = [:]
  private var followers: [NodeID: BrokerPeer] = [:]
  /// Events for this process itself, delivered in a turn of their own.
  private var ownEvents: [BrokerEvent] = []
  private var saidFarewell = false

  init(lock: consuming FileLock, state: BrokerState, node: NodeID, reactor: Reactor, listener: any BrokerListener) {
    self.lock = lock
    self.state = state
    self.node = node
    self.reactor = reactor
    self.listener = listener
    super.init()
  }

  /// Begins to take followers and to keep time.
  func start(on socket: consuming Socket) throws(SystemError) {
    let door = Door(SharedSocket(socket), leadership: self, reactor: reactor)
    try door.start()
    self.door = door
    reactor.add(self)
    timerFired()
  }

  /// Whether every follower's bytes are with the kernel.
  var isFlushed: Bool { followers.values.allSatisfy(\.isFlushed) }

  /// Tells the followers that this was the last change. Commands that come later stay unanswered; the next leader gets them.
  func sayFarewell() {
    guard !saidFarewell else { return }
    saidFarewell = true
    let frame = BrokerCodec.encoded(.farewell)
    for follower in followers.values { follower.send(frame) }
    door?.stop()
  }

  /// Takes a command of this process or a follower.
  func received(_ command: BrokerCommand, from node: NodeID) {
    guard !saidFarewell else { return }
    let time = WallClock.now().nanoseconds / 1_000_000
    deliver(state.received(command, from: node, now: reactor.now, time: time))
  }

  /// Serves a process that connected; it is a follower once it has said hello.
  fileprivate func accepted(_ socket: consuming Socket) {
    guard let guest = try? BrokerPeer(socket, reactor: reactor, owner: self) else { return }
    guests[ObjectIdentifier(guest)] = guest
  }

  override func turn() {
    let events = ownEvents
    ownEvents = []
    for event in events { listener.brokerDelivered(event) }
  }

  override func timerFired() {
    reactor.setTimer(self, at: reactor.now + ChatService.tickInterval)
    if !saidFarewell { deliver(state.tick(now: reactor.now)) }
  }

  /// Followers first, so that this process's clients see nothing that could die with it.
  private func deliver(_ deliveries: [BrokerState.Delivery]) {
    for delivery in deliveries {
      switch delivery {
      case .everyone(let event):
        if !followers.isEmpty {
          let frame = BrokerCodec.encoded(event)
          for follower in followers.values { follower.send(frame) }
        }
        ownEvents.append(event)
      case .one(node, let event):
        ownEvents.append(event)
      case .one(let node, let event):
        followers[node]?.send(BrokerCodec.encoded(event))
      }
    }
    if !ownEvents.isEmpty { reactor.runLater(self) }
  }
}

extension Leadership: BrokerPeerOwner {
  func received(_ payload: [UInt8], from peer: BrokerPeer) throws(BrokerCodecError) {
    let command = try BrokerCodec.command(from: payload)
    if case .hello(let node) = command { greet(peer, as: node) }
    if let node = peer.node { received(command, from: node) }
  }

  func ended(_ peer: BrokerPeer) {
    guests[ObjectIdentifier(peer)] = nil
    guard let node = peer.node, followers[node] === peer else { return }
    followers[node] = nil
    state.disconnected(node, now: reactor.now)
  }

  private func greet(_ peer: BrokerPeer, as node: NodeID) {
    guard peer.node == nil, node != self.node else { return }
    guests[ObjectIdentifier(peer)] = nil
    if let earlier = followers.updateValue(peer, forKey: node) { earlier.close() }
    peer.node = node
  }
}

/// Where followers connect.
private final class Door: Listener {
  private unowned let leadership: Leadership

  init(_ socket: SharedSocket, leadership: Leadership, reactor: Reactor) {
    self.leadership = leadership
    super.init(socket, isShared: false, on: reactor)
  }

  override func accepted(_ client: consuming Socket, from peer: PeerAddress) {
    leadership.accepted(client)
  }
}
