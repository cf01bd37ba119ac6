import ChatCore
import EdgeCore
import Testing

@Suite struct `Chat across processes` {
  @Test func `messages cross processes in one order`() {
    var cluster = Cluster(nodes: 2)
    let alice = joined("alice", at: 1, in: &cluster)
    let bob = joined("bob", at: 2, in: &cluster)
    _ = cluster.take(alice)
    for number in 1...4 {
      cluster.send("message", ["room": "lobby", "text": .string("\(number)")], from: number.isMultiple(of: 2) ? alice : bob)
    }
    let seenByAlice = cluster.take("message", alice)
    #expect(seenByAlice.compactMap { $0["sequence"]?.integerValue } == [1, 2, 3, 4])
    #expect(cluster.take("message", bob) == seenByAlice)
  }

  @Test func `presence counts a user once, over all connections and processes`() {
    var cluster = Cluster(nodes: 2)
    let alice = joined("alice", at: 1, in: &cluster)
    let first = joined("bob", at: 1, in: &cluster)
    let second = joined("bob", at: 2, in: &cluster)
    let third = joined("bob", at: 2, in: &cluster)
    #expect(cluster.take("presence", alice).map { $0["online"]?.boolValue } == [true])
    cluster.disconnect(first)
    cluster.disconnect(second)
    #expect(cluster.take("presence", alice) == [])
    cluster.send("leave", ["room": "lobby"], from: third)
    let gone = cluster.take("presence", alice)
    #expect(gone.map { $0["online"]?.boolValue } == [false])
    #expect(gone.map { $0["senderId"]?.stringValue } == ["bob"])
  }

  @Test func `a newcomer is told who is here, wherever they are connected`() {
    var cluster = Cluster(nodes: 2)
    _ = joined("alice", at: 1, in: &cluster)
    _ = joined("bob", at: 2, in: &cluster)
    let carol = cluster.connect("carol", at: 2)
    cluster.send("join", ["room": "lobby"], from: carol)
    #expect(cluster.take("joined", carol).map(\.users) == [["alice", "bob", "carol"]])
  }

  @Test func `typing crosses processes, is not told to the typist, and runs out`() {
    var cluster = Cluster(nodes: 2)
    let alice = joined("alice", at: 1, in: &cluster)
    let bob = joined("bob", at: 2, in: &cluster)
    _ = cluster.take(alice)
    for _ in 0..<3 { cluster.send("typing", ["room": "lobby"], from: alice) }
    #expect(cluster.take(alice) == [])
    #expect(cluster.take("typing", bob).map { $0["active"]?.boolValue } == [true])
    cluster.wait(.seconds(6))
    #expect(cluster.take("typing", bob).map { $0["active"]?.boolValue } == [false])
  }

  @Test func `a message, leaving, and saying so end typing`() {
    for ending in ["message", "leave", "typing"] {
      var cluster = Cluster(nodes: 2)
      let alice = joined("alice", at: 1, in: &cluster)
      let bob = joined("bob", at: 2, in: &cluster)
      cluster.send("typing", ["room": "lobby"], from: alice)
      _ = cluster.take(bob)
      cluster.send(ending, ["room": "lobby", "text": "done", "active": false], from: alice)
      #expect(cluster.take("typing", bob).map { $0["active"]?.boolValue } == [false], "\(ending)")
    }
  }

  @Test func `someone who resumes at the other process gets exactly what was missed`() {
    var cluster = Cluster(nodes: 2)
    let alice = joined("alice", at: 1, in: &cluster)
    cluster.send("message", ["room": "lobby", "text": "one"], from: alice)
    let seen = cluster.take("message", alice).first
    cluster.disconnect(alice)
    let bob = joined("bob", at: 1, in: &cluster)
    for text in ["two", "three"] { cluster.send("message", ["room": "lobby", "text": .string(text)], from: bob) }
    let again = cluster.connect("alice", at: 2)
    cluster.send("join", ["room": "lobby", "since": seen?["sequence"] ?? 0, "epoch": seen?["epoch"] ?? ""], from: again)
    let joined = cluster.take("joined", again).first
    #expect(joined?.texts == ["two", "three"])
    #expect(joined?["gap"] == .null)
    #expect(joined?["resumed"] == true)
  }

  @Test func `an empty room makes place for a new one; a full house says so`() {
    var limits = ChatLimits()
    limits.rooms = 2
    var cluster = Cluster(nodes: 2, limits: limits)
    let alice = cluster.connect("alice", at: 2)
    for room in ["a", "b"] { cluster.send("join", ["room": .string(room)], from: alice) }
    cluster.send("join", ["room": "c"], from: alice)
    #expect(cluster.take("error", alice).map { $0["code"] } == ["rooms_full"])
    cluster.send("leave", ["room": "a"], from: alice)
    cluster.send("join", ["room": "c"], from: alice)
    #expect(cluster.take("joined", alice).map { $0["room"] } == ["c"])
    for service in cluster.services.values { #expect(Set(service.table.rooms.keys.map(\.text)) == ["b", "c"]) }
  }

  @Test func `users of a lost process stay for a moment, and then go`() {
    var cluster = Cluster(nodes: 2)
    let alice = joined("alice", at: 1, in: &cluster)
    _ = joined("bob", at: 2, in: &cluster)
    _ = cluster.take(alice)
    cluster.killFollower(cluster.node(2))
    cluster.wait(.seconds(1))
    #expect(cluster.take("presence", alice) == [])
    cluster.wait(.seconds(1))
    #expect(cluster.take("presence", alice).map { $0["senderId"] } == ["bob"])
  }

  @Test func `a process that comes back in time brings its users back unnoticed`() {
    var cluster = Cluster(nodes: 2)
    let alice = joined("alice", at: 1, in: &cluster)
    let bob = joined("bob", at: 2, in: &cluster)
    let carol = joined("carol", at: 2, in: &cluster)
    _ = cluster.take(alice)
    cluster.disconnectNode(cluster.node(2))
    cluster.disconnect(carol)
    cluster.send("message", ["room": "lobby", "text": "meanwhile"], from: alice)
    cluster.connectNode(cluster.node(2))
    #expect(cluster.take("joined", bob).map(\.texts) == [["meanwhile"]])
    cluster.wait(.seconds(5))
    #expect(cluster.take("presence", alice).map { $0["senderId"] } == ["carol"])
  }
}

func joined(_ user: String, at number: Int, in cluster: inout Cluster) -> MemberID {
  let member = cluster.connect(user, at: number)
  cluster.send("join", ["room": "lobby"], from: member)
  _ = cluster.take(member)
  return member
}
