import ChatCore
import EdgeCore
import Testing

@Suite struct `Losing the leader` {
  @Test func `numbers go on and nobody misses anything`() {
    var cluster = Cluster(nodes: 2)
    let alice = joined("alice", at: 1, in: &cluster)
    let bob = joined("bob", at: 2, in: &cluster)
    cluster.send("message", ["room": "lobby", "text": "before"], from: alice)
    let seen = cluster.take("message", bob).first
    cluster.killLeader()
    cluster.takeOver(cluster.node(2))
    let again = cluster.take("joined", bob).first
    #expect(again?.texts == [])
    #expect(again?["gap"] == .null)
    #expect(again?["epoch"] != seen?["epoch"])
    let alice2 = cluster.connect("alice", at: 2)
    cluster.send("join", ["room": "lobby", "since": 0, "epoch": seen?["epoch"] ?? ""], from: alice2)
    #expect(cluster.take("joined", alice2).first?.texts == ["before"])
    cluster.send("message", ["room": "lobby", "text": "after"], from: bob)
    #expect(cluster.take("message", alice2).map { $0["sequence"]?.integerValue } == [2])
  }

  @Test func `a farewell lets the rooms live on`() {
    var cluster = Cluster(nodes: 2)
    let bob = joined("bob", at: 2, in: &cluster)
    cluster.send("message", ["room": "lobby", "text": "before"], from: bob)
    let epoch = cluster.take("message", bob).first?["epoch"]
    cluster.killLeader()
    cluster.takeOver(cluster.node(2), isCurrent: true)
    cluster.send("message", ["room": "lobby", "text": "after"], from: bob)
    #expect(cluster.take("message", bob).first?["epoch"] == epoch)
  }

  @Test func `a message that waits for the broker is sent when there is one again, once`() {
    var cluster = Cluster(nodes: 2)
    _ = joined("alice", at: 1, in: &cluster)
    let bob = joined("bob", at: 2, in: &cluster)
    cluster.killLeader()
    for _ in 0..<2 { cluster.send("message", ["room": "lobby", "text": "wait for me", "id": "b1"], from: bob) }
    #expect(cluster.take(bob) == [])
    cluster.takeOver(cluster.node(2))
    let got = cluster.take(bob)
    #expect(got.filter { $0["type"] == "message" }.count == 1)
    #expect(got.filter { $0["type"] == "ack" }.count == 2)
  }

  @Test func `a message that only a slower process missed survives its leader`() {
    var cluster = Cluster(nodes: 3)
    let alice = joined("alice", at: 1, in: &cluster)
    let bob = joined("bob", at: 2, in: &cluster)
    let carol = joined("carol", at: 3, in: &cluster)
    cluster.held = [cluster.node(2)]
    cluster.send("message", ["room": "lobby", "text": "precious", "id": "a1"], from: alice)
    #expect(cluster.take("message", carol).count == 1)
    cluster.killLeader()
    cluster.takeOver(cluster.node(2))
    #expect(cluster.take("message", bob).map { $0["text"] } == ["precious"])
    let repeated = cluster.take("message", carol)
    #expect(repeated.map { $0["id"] } == ["a1"])
    #expect(repeated.map { $0["senderId"] } == ["alice"])
  }

  @Test func `history survives as long as one process that saw it`() {
    var cluster = Cluster(nodes: 2)
    let bob = joined("bob", at: 2, in: &cluster)
    for number in 1...3 { cluster.send("message", ["room": "lobby", "text": .string("\(number)")], from: bob) }
    cluster.killLeader()
    cluster.restart(1)
    cluster.takeOver(cluster.node(1), isCurrent: true)
    let alice = cluster.connect("alice", at: 1)
    cluster.send("join", ["room": "lobby"], from: alice)
    let joined = cluster.take("joined", alice).first
    #expect(joined?.texts == ["1", "2", "3"])
    #expect(joined?.users == ["alice", "bob"])
  }

  @Test(arguments: 0..<60)
  func `through any run of losses everybody ends with the same messages, each once and in one order`(seed: Int) {
    var random = FixedRandom(state: UInt64(seed))
    var cluster = Cluster(nodes: 3)
    var views: [MemberID: View] = [:]
    func connect(_ name: String, at node: Int) {
      let member = joined(name, at: node, in: &cluster)
      views[member] = View()
    }
    // Process 3 is never killed: someone has to see it all.
    for (index, name) in ["alice", "bob", "carol"].enumerated() { connect(name, at: index + 1) }
    var acked: Set<String> = []
    for step in 0..<60 {
      let living = views.keys.sorted()
      switch Int.random(in: 0..<12, using: &random) {
      case 0 where cluster.services.count > 1 && cluster.leaderNode != cluster.node(3):
        cluster.killLeader()
        let next = cluster.services.keys.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &random)
        next.map { cluster.takeOver($0) }
      case 1:
        if let node = cluster.services.keys.filter({ $0 != cluster.leaderNode }).sorted(by: { $0.rawValue < $1.rawValue }).last {
          cluster.disconnectNode(node)
          cluster.connectNode(node)
        }
      case 2:
        cluster.wait(.milliseconds(700))
      case 3:
        let followers = cluster.services.keys.filter { $0 != cluster.leaderNode }
        cluster.held = followers.count > 1 ? Set(followers.sorted { $0.rawValue < $1.rawValue }.prefix(1)) : []
      case 4:
        cluster.held = []
        cluster.settle()
      default:
        if let sender = living.randomElement(using: &random) {
          cluster.send("message", ["room": "lobby", "text": .string("\(step)"), "id": .string("m\(step)")], from: sender)
        }
      }
      for member in living {
        for envelope in cluster.take(member) {
          if envelope["type"] == "ack", let id = envelope["data"]?["id"]?.stringValue { acked.insert(id) }
          views[member]?.receive(envelope)
        }
      }
    }
    cluster.held = []
    cluster.settle()
    if let leader = cluster.leaderNode {
      for node in cluster.services.keys where node != leader { cluster.connectNode(node) }
    }
    for member in views.keys { for envelope in cluster.take(member) { views[member]?.receive(envelope) } }
    let tables = cluster.services.values.map(\.table)
    #expect(tables.allSatisfy { $0.rooms.mapValues(\.log) == tables[0].rooms.mapValues(\.log) })
    let kept = tables[0].rooms.values.flatMap(\.log.messages).map(\.id.text)
    #expect(Set(kept).count == kept.count)
    #expect(acked.isSubset(of: Set(kept)))
    for (member, view) in views where cluster.isConnected(member) {
      #expect(view.gaps == 0)
      #expect(Set(view.ids).isSuperset(of: Set(kept)))
    }
  }
}

/// What a client has put together.
private struct View {
  var ids: [String] = []
  var gaps = 0

  mutating func receive(_ envelope: JSON) {
    guard let data = envelope["data"] else { return }
    if envelope["type"] == "message", let id = data["id"]?.stringValue { ids.append(id) }
    if envelope["type"] == "joined" {
      ids += data["messages"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
      if data["gap"] != .null { gaps += 1 }
    }
  }
}
