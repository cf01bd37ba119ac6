import ChatCore
import EdgeCore
import Testing

@Suite struct `Chat in one process` {
  @Test func `a message reaches everyone in the room, the sender too, and is acknowledged`() {
    var cluster = Cluster(nodes: 1)
    let alice = joined("alice", in: &cluster)
    let bob = joined("bob", in: &cluster)
    _ = cluster.take(alice)
    cluster.send("message", ["room": "lobby", "text": "hi", "id": "a1"], from: alice)
    let got = cluster.take(bob)
    #expect(got.map { $0["type"]?.stringValue } == ["message"])
    #expect(got.first?["data"]?["senderId"] == "alice")
    #expect(got.first?["data"]?["text"] == "hi")
    #expect(got.first?["data"]?["sequence"] == 1)
    #expect(got.first?["data"]?["timestamp"] == .integer(cluster.time))
    let own = cluster.take(alice)
    #expect(own.map { $0["type"]?.stringValue } == ["message", "ack"])
    #expect(own.last?["data"]?["id"] == "a1")
    #expect(own.last?["data"]?["sequence"] == 1)
    #expect(own.last?["data"]?["duplicate"] == false)
  }

  @Test func `the sender is the verified user, whatever the client says of itself`() {
    var cluster = Cluster(nodes: 1)
    let mallory = joined("mallory", in: &cluster)
    cluster.send("message", ["room": "lobby", "text": "hi", "senderId": "alice", "sender": "alice"], from: mallory)
    #expect(cluster.take("message", mallory).map { $0["senderId"] } == ["mallory"])
  }

  @Test func `sending the same message again has one effect and two acknowledgements`() {
    var cluster = Cluster(nodes: 1)
    let alice = joined("alice", in: &cluster)
    let bob = joined("bob", in: &cluster)
    for _ in 0..<2 { cluster.send("message", ["room": "lobby", "text": "once", "id": "a1"], from: alice) }
    #expect(cluster.take("ack", alice).map { $0["duplicate"]?.boolValue } == [false, true])
    #expect(cluster.take("message", bob).count == 1)
    cluster.send("message", ["room": "lobby", "text": "mine", "id": "a1"], from: bob)
    #expect(cluster.take("message", bob).map { $0["sequence"]?.integerValue } == [2])
  }

  @Test func `messages without an identifier are never taken for one another`() {
    var cluster = Cluster(nodes: 1)
    let alice = joined("alice", in: &cluster)
    for _ in 0..<3 { cluster.send("message", ["room": "lobby", "text": "again"], from: alice) }
    #expect(cluster.take("message", alice).map { $0["sequence"]?.integerValue } == [1, 2, 3])
  }

  @Test func `who left hears nothing more and may not speak`() {
    var cluster = Cluster(nodes: 1)
    let alice = joined("alice", in: &cluster)
    let bob = joined("bob", in: &cluster)
    cluster.send("leave", ["room": "lobby"], from: bob)
    #expect(cluster.take("left", bob).count == 1)
    cluster.send("message", ["room": "lobby", "text": "hi"], from: alice)
    cluster.send("message", ["room": "lobby", "text": "hi"], from: bob)
    #expect(cluster.take(bob).map { $0["data"]?["code"] } == ["not_joined"])
  }

  @Test func `a connection is in at most 50 rooms`() {
    var cluster = Cluster(nodes: 1)
    let alice = cluster.connect("alice", at: 1)
    for number in 1...51 { cluster.send("join", ["room": .string("room\(number)")], from: alice) }
    let got = cluster.take(alice)
    #expect(got.filter { $0["type"] == "joined" }.count == 50)
    #expect(got.last?["data"]?["code"] == "too_many_rooms")
    #expect(got.last?["data"]?["room"] == "room51")
  }

  @Test func `requests of one connection that wait are bounded, and answered when the broker stays away`() {
    var cluster = Cluster(nodes: 1)
    let alice = joined("alice", in: &cluster)
    cluster.disconnectNode(cluster.node(1))
    for number in 1...65 {
      cluster.send("message", ["room": "lobby", "text": "x", "id": .string("m\(number)")], from: alice)
    }
    #expect(cluster.take("error", alice).map { $0["code"] } == ["busy"])
    cluster.wait(.seconds(10))
    let errors = cluster.take("error", alice)
    #expect(errors.count == 64)
    #expect(errors.first?["code"] == "unavailable")
    #expect(errors.first?["id"] == "m1")
  }

  @Test(arguments: malformed)
  func `a malformed envelope is answered with an error that names the field, and counted`(
    payload: String, code: String, field: String?
  ) {
    var cluster = Cluster(nodes: 1)
    let alice = joined("alice", in: &cluster)
    cluster.sendRaw(Array(payload.utf8), from: alice)
    let errors = cluster.take(alice)
    #expect(errors.map { $0["type"] } == ["error"])
    #expect(errors.first?["data"]?["code"]?.stringValue == code)
    #expect(errors.first?["data"]?["field"]?.stringValue == field)
    #expect(cluster.services[cluster.node(1)]?.counters.malformed == 1)
  }

  @Test func `a binary message is malformed`() throws {
    var service = ChatService(node: NodeID(random: 1))
    _ = service.connected(MemberID(rawValue: 1), user: try #require(UserName("alice")))
    _ = service.receivedBinary(from: MemberID(rawValue: 1))
    #expect(service.counters.malformed == 1)
  }

  @Test func `random bytes never trap`() {
    var random = FixedRandom(state: 7)
    var cluster = Cluster(nodes: 1)
    let alice = joined("alice", in: &cluster)
    let valid = Array(#"{"type":"message","data":{"room":"lobby","text":"hällo","id":"1"}}"#.utf8)
    for _ in 0..<5_000 {
      var bytes = valid
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      cluster.sendRaw(bytes, from: alice)
    }
    #expect(cluster.take(alice).allSatisfy { $0["type"]?.stringValue != nil })
  }
}

private func joined(_ user: String, in cluster: inout Cluster) -> MemberID {
  let member = cluster.connect(user, at: 1)
  cluster.send("join", ["room": "lobby"], from: member)
  _ = cluster.take(member)
  return member
}

private let malformed: [(payload: String, code: String, field: String?)] = [
  ("", "bad_json", nil),
  ("{", "bad_json", nil),
  ("{}x", "bad_json", nil),
  (#"{"type":"join","type":"leave","data":{}}"#, "bad_json", nil),
  (String(repeating: "[", count: 1_000), "bad_json", nil),
  ("[]", "bad_envelope", "type"),
  (#"{"type":1,"data":{}}"#, "bad_envelope", "type"),
  (#"{"type":"join"}"#, "bad_envelope", "data"),
  (#"{"type":"join","data":[]}"#, "bad_envelope", "data"),
  (#"{"type":"welcome","data":{}}"#, "unknown_type", "type"),
  (#"{"type":"join","data":{}}"#, "invalid_field", "data.room"),
  (#"{"type":"join","data":{"room":7}}"#, "invalid_field", "data.room"),
  (#"{"type":"join","data":{"room":"a b"}}"#, "invalid_field", "data.room"),
  (#"{"type":"join","data":{"room":"lobby","since":-1,"epoch":"x"}}"#, "invalid_field", "data.since"),
  (#"{"type":"join","data":{"room":"lobby","since":1.5,"epoch":"x"}}"#, "invalid_field", "data.since"),
  (#"{"type":"join","data":{"room":"lobby","since":1}}"#, "invalid_field", "data.epoch"),
  (#"{"type":"message","data":{"room":"lobby"}}"#, "invalid_field", "data.text"),
  (#"{"type":"message","data":{"room":"lobby","text":""}}"#, "invalid_field", "data.text"),
  (#"{"type":"message","data":{"room":"lobby","text":["x"]}}"#, "invalid_field", "data.text"),
  (#"{"type":"message","data":{"room":"lobby","text":"x","id":""}}"#, "invalid_field", "data.id"),
  (#"{"type":"message","data":{"room":"lobby","text":"x","id":"a b"}}"#, "invalid_field", "data.id"),
  (#"{"type":"typing","data":{"room":"lobby","active":"yes"}}"#, "invalid_field", "data.active"),
]
