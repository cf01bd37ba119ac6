import EdgeCore
import EdgePolicy
import Testing

@Suite struct `A table of rules` {
  private let now = WallTime(seconds: 1_000_000)
  private let alice = VouchedName("alice", by: "main")

  @Test func `a ban of a block holds for every address in it, IPv4-mapped ones too, and for no other family`() throws {
    var table = RuleTable()
    _ = try table.add(.ban(.network(#require(CIDR("10.0.0.0/8")))), for: nil, author: "ops", now: now)
    _ = try table.add(.ban(.network(#require(CIDR("2001:db8::/32")))), for: nil, author: "ops", now: now)
    for (text, isBanned) in [
      ("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("11.0.0.1", false), ("2001:db8:1::1", true), ("2001:db9::1", false),
      ("::a01:203", false),
    ] {
      #expect((table.ban(of: RuleClient(address: IPAddress(text)), now: now) != nil) == isBanned, "\(text)")
    }
    #expect(table.ban(of: RuleClient(address: nil), now: now) == nil)
  }

  @Test func `a wide ban holds beside a narrow one that has expired`() throws {
    var table = RuleTable()
    _ = try table.add(.ban(.network(#require(CIDR("10.0.0.0/8")))), for: .seconds(60), author: "ops", now: now)
    _ = try table.add(.ban(.network(#require(CIDR("10.1.2.3")))), for: .seconds(10), author: "ops", now: now)
    let client = RuleClient(address: IPAddress("10.1.2.3"))
    #expect(table.ban(of: client, now: after(11))?.expires == after(60))
    #expect(table.ban(of: client, now: after(60)) == nil)
  }

  @Test func `of several bans the one that lasts longest is given`() throws {
    var table = RuleTable()
    let client = RuleClient(address: IPAddress("10.1.2.3"), user: alice)
    _ = try table.add(.ban(.network(#require(CIDR("10.1.2.3")))), for: .seconds(10), author: "ops", now: now)
    _ = try table.add(.ban(.network(#require(CIDR("10.1.0.0/16")))), for: .seconds(30), author: "ops", now: now)
    _ = try table.add(.ban(.network(#require(CIDR("10.0.0.0/8")))), for: .seconds(20), author: "ops", now: now)
    #expect(table.ban(of: client, now: now)?.expires == after(30))
    let forever = try table.add(.ban(.user(alice.byAnyone)), for: nil, author: "ops", now: now)
    #expect(table.ban(of: client, now: now) == forever.rule)
  }

  @Test func `a user is banned byte by byte, with one auth block or with all`() throws {
    var table = RuleTable()
    _ = try table.add(.ban(.user(VouchedName("caf\u{e9}", by: nil))), for: nil, author: "ops", now: now)
    _ = try table.add(.ban(.user(VouchedName("bob", by: "main"))), for: nil, author: "ops", now: now)
    for (name, auth, isBanned) in [
      ("caf\u{e9}", "main", true), ("caf\u{e9}", "other", true), ("cafe\u{301}", "main", false), ("bob", "main", true),
      ("bob", "other", false), ("Bob", "main", false),
    ] {
      let client = RuleClient(address: nil, user: VouchedName(name, by: auth))
      #expect((table.ban(of: client, now: now) != nil) == isBanned, "\(name) by \(auth)")
    }
  }

  @Test func `revoking a user's tokens leaves those that are issued later`() throws {
    var table = RuleTable()
    let rule = try table.add(.revoke(.ofUser(alice, issuedBefore: nil)), for: nil, author: "ops", now: now).rule
    for (issued, isRevoked) in [(nil, true), (after(-1), true), (now, true), (after(1), false)] as [(WallTime?, Bool)] {
      #expect((table.revocation(of: client(issued), now: after(5)) == rule) == isRevoked)
    }
    #expect(
      table.revocation(
        of: RuleClient(address: nil, user: VouchedName("bob", by: "main"), token: .init(issuedAt: nil, id: nil)), now: now) == nil
    )
  }

  @Test func `tokens are revoked by name and by the time they were issued before`() throws {
    var table = RuleTable()
    _ = try table.add(.revoke(.token(VouchedName("t-1", by: nil))), for: nil, author: "ops", now: now)
    _ = try table.add(.revoke(.token(VouchedName("t-2", by: "other"))), for: nil, author: "ops", now: now)
    #expect(table.revocation(of: client(after(9), id: "t-1"), now: now) != nil)
    #expect(table.revocation(of: client(after(9), id: "t-2"), now: now) == nil)
    #expect(table.revocation(of: client(after(9)), now: now) == nil)
    _ = try table.add(.revoke(.ofAuth("main", issuedBefore: after(9))), for: nil, author: "ops", now: now)
    #expect(table.revocation(of: client(after(9)), now: now) == nil)
    #expect(table.revocation(of: client(after(8)), now: now) != nil)
    #expect(table.revocation(of: client(nil), now: now) != nil)
  }

  @Test func `a second revocation never means fewer tokens than the first`() throws {
    var table = RuleTable()
    let first = try table.add(.revoke(.ofUser(alice, issuedBefore: nil)), for: .seconds(60), author: "ops", now: after(10))
    let second = try table.add(
      .revoke(.ofUser(alice, issuedBefore: now)), for: .seconds(10), author: "ops", now: after(11))
    #expect(!second.isNew && second.rule.id == first.rule.id)
    #expect(second.rule.expires == first.rule.expires)
    #expect(table.revocation(of: client(after(10)), now: after(12)) != nil)
    #expect(table.revocation(of: client(after(11)), now: after(12)) == nil)
  }

  @Test func `the strictest of all throttles holds, for messages and bytes apart`() throws {
    var table = RuleTable()
    let client = RuleClient(address: IPAddress("10.1.2.3"), user: alice)
    let network = RuleSubject.network(try #require(CIDR("10.0.0.0/8")))
    let fast = try #require(GCRA(units: 100, per: .seconds(1), burst: 100))
    let slow = try #require(GCRA(units: 60, per: .seconds(60), burst: 5))
    let bytes = try #require(GCRA(units: 1024, per: .seconds(1), burst: 2048))
    #expect(table.throttle(of: client, now: now) == nil)
    _ = try table.add(.throttle(network, Throttle(messages: fast, bytes: bytes)), for: nil, author: "ops", now: now)
    _ = try table.add(.throttle(.user(alice), Throttle(messages: slow)), for: .seconds(60), author: "ops", now: now)
    let both = try #require(table.throttle(of: client, now: now))
    #expect(both == Throttle(messages: slow, bytes: bytes))
    #expect(table.throttle(of: client, now: after(60)) == Throttle(messages: fast, bytes: bytes))
  }

  @Test func `the same rule again keeps its name and gets the later end`() throws {
    var table = RuleTable()
    let ban = RuleEffect.ban(.user(alice))
    let first = try table.add(ban, for: .seconds(60), reason: RuleReason("spam"), author: "a", now: now)
    let shorter = try table.add(ban, for: .seconds(10), author: "b", now: now)
    #expect(first.isNew && !shorter.isNew)
    #expect(shorter.rule.id == first.rule.id && shorter.rule.expires == after(60))
    #expect(shorter.rule.reason?.text == "spam" && shorter.rule.author == "b")
    #expect(try table.add(ban, for: nil, author: "c", now: now).rule.expires == nil)
    #expect(try table.add(ban, for: .seconds(1), author: "d", now: now).rule.expires == nil)
    #expect(table.count == 1)
  }

  @Test func `a rule of the configuration has the same name after every start, and is none of the others`() throws {
    var names: Set<RuleID> = []
    for start in 0..<3 {
      var table = RuleTable()
      let seed = try table.add(.ban(.user(alice)), for: nil, author: "configuration", isSeed: true, now: after(Int64(start)))
      let twin = try table.add(.ban(.user(alice)), for: .seconds(1), author: "configuration", isSeed: true, now: now)
      #expect(twin.rule.id == seed.rule.id)
      names.insert(seed.rule.id)
      #expect(try table.add(.ban(.user(alice)), for: nil, author: "ops", now: now).rule.id == .made(1))
      #expect(table.count == 2)
    }
    #expect(names.count == 1)
  }

  @Test func `a rule of the configuration is taken out by what it does, and its twin of the operators stays`() throws {
    var table = RuleTable()
    let seed = try table.add(.ban(.user(alice)), for: nil, author: "configuration", isSeed: true, now: now).rule
    let made = try table.add(.ban(.user(alice)), for: nil, author: "ops", now: now).rule
    #expect(table.removeSeed(.ban(.user(alice)))?.id == seed.id)
    #expect(table.removeSeed(.ban(.user(alice))) == nil)
    #expect(table.all.map(\.id) == [made.id])
  }

  @Test func `a removed rule is gone, and its number is not given again`() throws {
    var table = RuleTable()
    let rule = try table.add(.ban(.user(alice)), for: nil, author: "ops", now: now).rule
    #expect(table.remove(rule.id) == rule)
    #expect(table.remove(rule.id) == nil)
    #expect(table.ban(of: RuleClient(address: nil, user: alice), now: now) == nil)
    #expect(try table.add(.ban(.user(alice)), for: nil, author: "ops", now: now).rule.id == .made(2))
  }

  @Test func `a full table takes nothing in until a rule expires or goes`() throws {
    var table = RuleTable(capacity: 3)
    for number in 0..<3 {
      let ban = RuleEffect.ban(.user(VouchedName("u\(number)", by: nil)))
      _ = try table.add(ban, for: number == 1 ? .seconds(5) : nil, author: "ops", now: now)
    }
    let another = RuleEffect.ban(.user(VouchedName("u3", by: nil)))
    #expect(throws: RuleTableError.full(capacity: 3)) { try table.add(another, for: nil, author: "ops", now: after(4)) }
    #expect(try !table.add(.ban(.user(VouchedName("u0", by: nil))), for: nil, author: "ops", now: after(4)).isNew)
    #expect(try table.add(another, for: nil, author: "ops", now: after(5)).isNew)
    #expect(throws: RuleTableError.full(capacity: 3)) {
      try table.add(.ban(.user(VouchedName("u4", by: nil))), for: nil, author: "ops", now: after(5))
    }
    #expect(table.remove(.made(1)) != nil)
    #expect(try table.add(.ban(.user(VouchedName("u4", by: nil))), for: nil, author: "ops", now: after(5)).isNew)
  }

  @Test func `holds a hundred thousand rules and not one more`() throws {
    var table = RuleTable()
    for number in 0..<UInt32(RuleTable.maxRules) {
      let block = CIDR(IPAddress(v4: 0x0a00_0000 + number), prefixBits: 32)
      _ = try table.add(.ban(.network(block)), for: nil, author: "ops", now: now)
    }
    #expect(throws: RuleTableError.full(capacity: RuleTable.maxRules)) {
      try table.add(.ban(.user(alice)), for: nil, author: "ops", now: now)
    }
    #expect(table.ban(of: RuleClient(address: IPAddress("10.1.134.159")), now: now) != nil)
    #expect(table.ban(of: RuleClient(address: IPAddress("10.1.134.160")), now: now) == nil)
  }

  @Test func `a sweep removes what has expired, and gives it back`() throws {
    var table = RuleTable()
    for seconds in [5, 5, 7] as [Int64] {
      let ban = RuleEffect.ban(.user(VouchedName("u\(table.count)", by: nil)))
      _ = try table.add(ban, for: .seconds(seconds), author: "ops", now: now)
    }
    #expect(table.sweep(now: after(4)) == [])
    #expect(Set(table.sweep(now: after(5)).map(\.id)) == [.made(1), .made(2)])
    #expect(table.sweep(now: after(6)) == [])
    #expect(table.sweep(now: after(7)).map(\.id) == [.made(3)])
    #expect(table.count == 0)
  }

  @Test func `a sweep tells, too, of what expired and made room for others`() throws {
    var table = RuleTable(capacity: 1)
    for seconds in 0..<3 as Range<Int64> {
      let ban = RuleEffect.ban(.user(VouchedName("u\(seconds)", by: nil)))
      _ = try table.add(ban, for: .seconds(1), author: "ops", now: after(seconds))
    }
    #expect(table.sweep(now: after(2)).map(\.id) == [.made(1), .made(2)])
    #expect(table.sweep(now: after(2)) == [])
  }

  @Test func `rules that were kept come back, but for the expired`() throws {
    var table = RuleTable()
    _ = try table.add(.ban(.user(alice)), for: .seconds(5), author: "ops", now: now)
    _ = try table.add(.ban(.user(VouchedName("bob", by: nil))), for: nil, author: "ops", now: now)
    var other = RuleTable()
    #expect(try other.restore(Array(table.all), nextNumber: 9, now: after(5)) == 1)
    #expect(other.count == 1 && other.nextNumber == 9)
    let bob = try #require(other.all.first)
    var third = RuleTable()
    #expect(throws: RuleTableError.repeated(bob.id)) { try third.restore([bob, bob], nextNumber: 1, now: now) }
  }

  private func after(_ seconds: Int64) -> WallTime { WallTime(seconds: now.seconds + seconds) }

  private func client(_ issued: WallTime?, id: String? = nil) -> RuleClient {
    RuleClient(address: nil, user: alice, token: .init(issuedAt: issued, id: id))
  }
}

extension VouchedName {
  fileprivate var byAnyone: VouchedName { VouchedName(text, by: nil) }
}
