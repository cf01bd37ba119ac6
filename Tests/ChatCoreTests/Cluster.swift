import ChatCore
import EdgeCore

/// Several chat processes and the one that leads, joined by queues instead of sockets.
///
/// Each process has a queue of events from the leader; `settle` delivers all of them. A test may hold a queue back, lose the
/// leader, and let another process take over.
struct Cluster {
  var services: [NodeID: ChatService] = [:]
  var leader: BrokerState?
  var leaderNode: NodeID?
  var now = Instant(nanoseconds: 1_000_000_000)
  var time: Int64 = 1_700_000_000_000
  /// Processes whose events stay in their queue for now.
  var held: Set<NodeID> = []
  private(set) var inbox: [MemberID: [JSON]] = [:]
  private var homes: [MemberID: NodeID] = [:]
  private var queues: [NodeID: [BrokerEvent]] = [:]
  private var connected: Set<NodeID> = []
  private var lives: UInt64 = 0
  private var lastMember: UInt64 = 0
  let limits: ChatLimits

  /// Starts processes 1, 2, …; the first of them leads.
  init(nodes: Int, limits: ChatLimits = ChatLimits()) {
    self.limits = limits
    for number in 1...nodes {
      services[node(number)] = ChatService(node: node(number), limits: limits)
    }
    takeOver(node(1), isCurrent: true)
  }

  /// The process with that number, dead or alive.
  func node(_ number: Int) -> NodeID {
    guard let node = NodeID(rawValue: Int64(number)) else { preconditionFailure("processes count from 1") }
    return node
  }

  /// Connects a user to a process.
  mutating func connect(_ user: String, at number: Int) -> MemberID {
    lastMember += 1
    let member = MemberID(rawValue: lastMember)
    homes[member] = node(number)
    inbox[member] = []
    guard let name = UserName(user) else { return member }
    perform(services[node(number)]?.connected(member, user: name) ?? [], at: node(number))
    _ = take(member)
    return member
  }

  /// Whether the connection's process lives.
  func isConnected(_ member: MemberID) -> Bool { homes[member] != nil }

  /// Sends an envelope and delivers what follows from it.
  mutating func send(_ type: String, _ data: JSON, from member: MemberID) {
    let envelope: JSON = ["type": .string(type), "data": data]
    sendRaw(envelope.encoded(), from: member)
  }

  /// Sends any bytes and delivers what follows from them.
  mutating func sendRaw(_ bytes: [UInt8], from member: MemberID) {
    guard let home = homes[member] else { return }
    perform(services[home]?.received(bytes.span, from: member, now: now) ?? [], at: home)
    settle()
  }

  mutating func disconnect(_ member: MemberID) {
    guard let home = homes[member] else { return }
    perform(services[home]?.disconnected(member) ?? [], at: home)
    settle()
  }

  /// What a connection was sent since the last call.
  mutating func take(_ member: MemberID) -> [JSON] {
    defer { inbox[member] = [] }
    return inbox[member] ?? []
  }

  /// What a connection was sent since the last call, of one type; the rest is dropped.
  mutating func take(_ type: String, _ member: MemberID) -> [JSON] {
    take(member).filter { $0["type"]?.stringValue == type }.compactMap { $0["data"] }
  }

  /// Lets time pass.
  mutating func wait(_ duration: Duration) {
    now = now + duration
    time += duration.nanoseconds / 1_000_000
    deliver(leader?.tick(now: now) ?? [])
    for node in services.keys { perform(services[node]?.tick(now: now) ?? [], at: node) }
    settle()
  }

  /// The leading process dies; what it said already still arrives, except where it is held back and lost with it.
  mutating func killLeader() {
    guard let dead = leaderNode else { return }
    settle()
    leader = nil
    leaderNode = nil
    services[dead] = nil
    for member in homes.keys where homes[member] == dead { homes[member] = nil }
    connected = []
    for node in services.keys {
      queues[node] = []
      services[node]?.brokerDisconnected()
    }
    held = []
  }

  /// A process that does not lead dies.
  mutating func killFollower(_ node: NodeID) {
    disconnectNode(node)
    services[node] = nil
  }

  /// A process that died is there again, and knows nothing.
  mutating func restart(_ number: Int) {
    services[node(number)] = ChatService(node: node(number), limits: limits)
  }

  /// Another process begins to lead, and all others find it.
  mutating func takeOver(_ node: NodeID, isCurrent: Bool = false) {
    lives += 1
    leader = BrokerState(table: services[node]?.table ?? RoomTable(), isCurrent: isCurrent, life: lives, limits: limits, now: now)
    leaderNode = node
    for other in [node] + services.keys.filter({ $0 != node }) { connectNode(other) }
  }

  /// A process says hello to the leader.
  mutating func connectNode(_ node: NodeID) {
    services[node]?.brokerDisconnected()
    queues[node] = []
    connected.insert(node)
    deliver(leader?.received(.hello(node: node), from: node, now: now, time: time) ?? [])
    settle()
  }

  /// A process loses the leader for a while.
  mutating func disconnectNode(_ node: NodeID) {
    queues[node] = []
    connected.remove(node)
    services[node]?.brokerDisconnected()
    leader?.disconnected(node, now: now)
  }

  /// Delivers everything that is not held back.
  mutating func settle() {
    while let node = queues.first(where: { !$0.value.isEmpty && !held.contains($0.key) })?.key {
      guard let event = queues[node]?.removeFirst() else { return }
      perform(services[node]?.received(event, now: now) ?? [], at: node)
    }
  }

  private mutating func perform(_ actions: [ChatAction], at node: NodeID) {
    for action in actions {
      switch action {
      case .send(let bytes, let receivers):
        guard let envelope = try? JSON(parsing: bytes) else { continue }
        for member in receivers where homes[member] == node { inbox[member, default: []].append(envelope) }
      case .submit(let command):
        deliver(leader?.received(command, from: node, now: now, time: time) ?? [])
      }
    }
  }

  private mutating func deliver(_ deliveries: [BrokerState.Delivery]) {
    for delivery in deliveries {
      switch delivery {
      case .everyone(let event): for node in connected { queues[node]?.append(event) }
      case .one(let node, let event): queues[node]?.append(event)
      }
    }
  }
}

extension JSON {
  /// The texts of the messages in a `joined` envelope's data.
  var texts: [String] { self["messages"]?.arrayValue?.compactMap { $0["text"]?.stringValue } ?? [] }
  var users: [String] { self["users"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
}

/// The same random numbers in every run (SplitMix64).
struct FixedRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
