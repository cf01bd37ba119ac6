import EdgeCore
import EdgeRouting
import Testing

@Suite struct `A client that belongs to a worker by its key` {
  @Test func `meets the same one each time, whoever else comes`() throws {
    let pool = TestPool(5)
    for key in keys(200) {
      let first = try #require(pool.path(.key(key)))
      for _ in 0..<3 {
        _ = try pool.choose()
        #expect(pool.path(.key(key)) == first)
      }
    }
  }

  @Test func `meets the same one in every edge`() {
    let pool = TestPool(4)
    let found = ["alice", "bob", "room 7", "", "日本"].map { pool.path(.key($0)) }
    #expect(found == ["/run/w1.sock", "/run/w2.sock", "/run/w3.sock", "/run/w2.sock", "/run/w1.sock"])
  }

  @Test func `moves only when its own worker goes, or to one that comes`() throws {
    let pool = TestPool(8)
    let before = places(of: keys(4_000), in: pool)
    let gone = "/run/w3.sock"
    _ = pool.scan(TestPool.sockets(8).filter { $0.path != gone })
    let without = places(of: keys(4_000), in: pool)
    for (key, place) in before { #expect(without[key] == place || place == gone) }
    _ = pool.scan(TestPool.sockets(9))
    let with = places(of: keys(4_000), in: pool)
    for (key, place) in before { #expect(with[key] == place || with[key] == "/run/w8.sock") }
    let moved = before.count { with[$0.key] != $0.value }
    #expect((300...600).contains(moved), "about a ninth of 4,000: \(moved)")
  }

  @Test func `finds its worker as often as the weight says`() {
    let pool = TestPool(3)
    #expect(pool.set(path: "/run/w1.sock", weight: 2))
    let found = places(of: keys(8_000), in: pool)
    for (path, expected) in [("/run/w0.sock", 2_000), ("/run/w1.sock", 4_000), ("/run/w2.sock", 2_000)] {
      let count = found.values.count { $0 == path }
      #expect(abs(count - expected) < 250, "\(path): \(count)")
    }
  }

  @Test func `goes to the next when its own is down, drained or was tried, and comes back`() throws {
    let pool = TestPool(3)
    let first = try #require(pool.path(.key("k")))
    let own = try #require(pool.pool.snapshot.first { $0.socket.path == first }?.id)
    let second = try #require(pool.path(.key("k"), excluding: [own]))
    #expect(second != first)
    #expect(pool.set(path: first, admin: .drain))
    #expect(pool.path(.key("k")) == second)
    #expect(pool.set(path: first, admin: .ready))
    #expect(pool.path(.key("k")) == first)
    for _ in 0..<3 { pool.healthCheck(own, passed: false) }
    #expect(pool.path(.key("k")) == second)
  }
}

@Suite struct `A client that belongs to a worker by name` {
  @Test func `meets it, even while it drains, and another when it is gone`() {
    let pool = TestPool(3)
    let own = WorkerAffinity.worker(path: "/run/w2.sock")
    for _ in 0..<5 { #expect(pool.path(own) == "/run/w2.sock") }
    #expect(pool.set(path: "/run/w2.sock", admin: .drain))
    #expect(pool.path(own) == "/run/w2.sock")
    #expect(pool.set(path: "/run/w2.sock", admin: .drain, keepsClients: false))
    #expect(pool.path(own) != "/run/w2.sock")
    #expect(pool.set(path: "/run/w2.sock", admin: .maint))
    #expect(pool.path(own) != "/run/w2.sock")
    _ = pool.scan(TestPool.sockets(2))
    #expect(pool.path(own) != nil)
    #expect(pool.path(.worker(path: "/etc/passwd")) != nil)
  }
}

private func keys(_ count: Int) -> [String] {
  (0..<count).map { "user-\($0)" }
}

private func places(of keys: [String], in pool: TestPool) -> [String: String] {
  var places: [String: String] = [:]
  for key in keys { places[key] = pool.path(.key(key)) }
  return places
}
