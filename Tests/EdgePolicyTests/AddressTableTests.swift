import EdgeCore
import EdgePolicy
import Testing

@Suite struct AddressPlaceTests {
  @Test func `an IPv4 address has its own cap`() throws {
    let table = AddressTable()
    let limits = AddressLimits(connections: 2)
    let first = try opened(table, "192.0.2.1", limits)
    _ = try opened(table, "192.0.2.1", limits)
    guard case .full(let block, let connections) = table.open(try ip("192.0.2.1"), limits: limits, now: start) else {
      Issue.record("a third connection came in")
      return
    }
    #expect(block.description == "192.0.2.1/32" && connections == 2)
    _ = try opened(table, "192.0.2.2", limits)
    table.close(first, now: start)
    _ = try opened(table, "192.0.2.1", limits)
  }

  @Test func `an IPv4-mapped address is the IPv4 address`() throws {
    let table = AddressTable()
    let limits = AddressLimits(connections: 1)
    _ = try opened(table, "::ffff:192.0.2.1", limits)
    #expect(try !allows(table, "192.0.2.1", limits))
  }

  @Test func `IPv6 addresses of one prefix share a cap`() throws {
    let table = AddressTable()
    let limits = AddressLimits(connections: 2)
    _ = try opened(table, "2001:db8:0:1::1", limits)
    _ = try opened(table, "2001:db8:0:1:ffff::2", limits)
    #expect(try !allows(table, "2001:db8:0:1::3", limits))
    _ = try opened(table, "2001:db8:0:2::1", limits)
  }

  @Test func `the wider prefix has a larger cap, and what it refuses is counted nowhere`() throws {
    let table = AddressTable()
    let limits = AddressLimits(connections: 2, wideFactor: 3)
    for subnet in 1...6 { _ = try opened(table, "2001:db8:0:\(subnet)::1", limits) }
    guard case .full(let block, _) = table.open(try ip("2001:db8:0:7::1"), limits: limits, now: start) else {
      Issue.record("a seventh connection came in")
      return
    }
    #expect(block.description == "2001:db8::/48")
    #expect(table.entryCount == 7)
    _ = try opened(table, "2001:db8:1:7::1", limits)
  }

  @Test func `the first subnet of a wide prefix is not taken for the prefix`() throws {
    let table = AddressTable()
    let limits = AddressLimits(connections: 2, wideFactor: 4)
    for subnet in 1...3 { _ = try opened(table, "2001:db8:0:\(subnet)::1", limits) }
    _ = try opened(table, "2001:db8::1", limits)
    _ = try opened(table, "2001:db8::1", limits)
    #expect(try !allows(table, "2001:db8::1", limits))
  }

  @Test func `exempt addresses are not counted`() throws {
    let table = AddressTable()
    let limits = AddressLimits(
      connections: 1, handshakes: GCRA(units: 1, per: .seconds(3600), burst: 1), exempt: [try #require(CIDR("10.0.0.0/8"))])
    for _ in 0..<5 { #expect(try opened(table, "10.1.2.3", limits).meters.isEmpty) }
    table.close(.uncounted, now: start)
    #expect(table.entryCount == 0)
  }

  @Test func `a place taken under other limits is given back where it was taken`() throws {
    let table = AddressTable()
    let place = try opened(table, "2001:db8::1", AddressLimits(connections: 1))
    _ = try opened(table, "2001:db8::2", AddressLimits(connections: 1, ipv6PrefixBits: 56, ipv6WidePrefixBits: 40))
    table.close(place, now: start)
    table.sweep(now: start)
    #expect(table.entryCount == 2)
    _ = try opened(table, "2001:db8::1", AddressLimits(connections: 1))
  }

  @Test func `connections of one block share its meters, the wider block's too`() throws {
    let table = AddressTable()
    let limits = AddressLimits()
    let first = try opened(table, "2001:db8:0:1::1", limits).meters
    let second = try opened(table, "2001:db8:0:1::2", limits).meters
    let neighbour = try opened(table, "2001:db8:0:2::1", limits).meters
    #expect(first.map(\.scope) == [.address, .widerBlock])
    #expect(zip(first, second).allSatisfy { $0.meter === $1.meter })
    #expect(first[0].meter !== neighbour[0].meter && first[1].meter === neighbour[1].meter)
    #expect(try opened(table, "192.0.2.1", limits).meters.map(\.scope) == [.address])
  }

  @Test(arguments: [1, 2, 4]) func `of many at once exactly as many come in as there are places`(threads: Int) async throws {
    let table = AddressTable()
    let limits = AddressLimits(connections: 50)
    let addresses = try ["192.0.2.1", "192.0.2.2", "::1", "::ffff:192.0.2.2"].map(ip)
    let held = await withTaskGroup(of: [Int].self) { group in
      for _ in 0..<threads {
        group.addTask {
          // Everybody comes and goes before the last try, so that places are given back while others are taken.
          addresses.map { address in
            for _ in 0..<500 {
              if case .allowed(let place) = table.open(address, limits: limits, now: start) { table.close(place, now: start) }
            }
            return (0..<200).count { _ in
              if case .allowed = table.open(address, limits: limits, now: start) { true } else { false }
            }
          }
        }
      }
      return await group.reduce([0, 0, 0, 0]) { zip($0, $1).map(+) }
    }
    #expect(held[0] == 50 && held[1] + held[3] == 50 && held[2] == 50)
  }
}

@Suite struct AddressHandshakeTests {
  let limits = AddressLimits(connections: 1_000_000, handshakes: GCRA(units: 10, per: .seconds(1), burst: 40))

  @Test func `a burst comes in; then the rate`() throws {
    let table = AddressTable()
    #expect(try (0..<100).count { _ in try allows(table, "192.0.2.1", limits) } == 40)
    #expect(try (0..<100).count { _ in try allows(table, "192.0.2.1", limits, at: start + .seconds(1)) } == 10)
    #expect(try allows(table, "192.0.2.2", limits))
  }

  @Test func `coming back does not refill a bucket`() throws {
    let table = AddressTable()
    for _ in 0..<40 { table.close(try opened(table, "192.0.2.1", limits), now: start) }
    table.sweep(now: start)
    #expect(try !allows(table, "192.0.2.1", limits))
  }

  @Test func `up to four times the rate a refusal is worth an answer`() throws {
    let table = AddressTable()
    var answers: [Bool] = []
    var waits: Set<Duration> = []
    for _ in 0..<200 {
      guard case .tooFast(let wait, let isReadable) = table.open(try ip("192.0.2.1"), limits: limits, now: start) else {
        continue
      }
      answers.append(isReadable)
      waits.insert(wait)
    }
    #expect(answers == Array(repeating: true, count: 120) + Array(repeating: false, count: 40))
    #expect(waits == [.milliseconds(100)])
    // Within a second thirty refusals are earned besides ten handshakes.
    let later = try (0..<100).map { _ in table.open(try ip("192.0.2.1"), limits: limits, now: start + .seconds(1)) }
    #expect(later.count { if case .allowed = $0 { true } else { false } } == 10)
    #expect(later.count { if case .tooFast(_, isReadable: true) = $0 { true } else { false } } == 30)
  }

  @Test func `an attempt costs what a connection costs`() throws {
    let table = AddressTable()
    for _ in 0..<20 { _ = try opened(table, "192.0.2.1", limits) }
    let address = try ip("192.0.2.1")
    let attempts = (0..<30).count { _ in
      if case .allowed = table.attempt(address, limits: limits, now: start) { true } else { false }
    }
    #expect(attempts == 20)
  }

  @Test func `a wider block may do sixteen times as much, and what it refuses makes no entry`() throws {
    let table = AddressTable()
    let allowed = try (0..<200).map { subnet in
      try (0..<10).count { _ in try allows(table, "2001:db8:0:\(String(subnet, radix: 16))::1", limits) }
    }
    #expect(allowed == Array(repeating: 10, count: 64) + Array(repeating: 0, count: 136))
    #expect(table.entryCount == 65)
    #expect(try allows(table, "2001:db8:1::1", limits))
  }

  @Test func `entries that say nothing any more are forgotten`() throws {
    let table = AddressTable()
    for host in 1...100 { table.close(try opened(table, "192.0.2.\(host)", limits), now: start) }
    let held = try opened(table, "192.0.2.200", limits)
    table.sweep(now: start + .milliseconds(99))
    #expect(table.entryCount == 101)
    table.sweep(now: start + .milliseconds(100))
    #expect(table.entryCount == 1)
    table.close(held, now: start)
    table.sweep(now: start + .seconds(1))
    #expect(table.entryCount == 0 && table.evictions == 0)
  }

  @Test func `a meter that is not full keeps its entry`() throws {
    let table = AddressTable()
    let place = try opened(table, "192.0.2.1", limits)
    let hourly = try #require(GCRA(units: 1, per: .seconds(3600), burst: 5))
    #expect(place.meters[0].meter.messages.charge(5, of: hourly, now: start) == .allowed)
    table.close(place, now: start)
    table.sweep(now: start + .seconds(600))
    let again = try opened(table, "192.0.2.1", limits, at: start + .seconds(600))
    #expect(again.meters[0].meter === place.meters[0].meter)
    #expect(again.meters[0].meter.messages.charge(1, of: hourly, now: start + .seconds(600)) != .allowed)
  }

  @Test(arguments: [1, 2, 4]) func `of many at once exactly the burst comes in`(threads: Int) async throws {
    let table = AddressTable()
    let addresses = try ["192.0.2.1", "2001:db8::1", "2001:db8::2"].map(ip)
    let limits = limits
    let allowed = await withTaskGroup(of: [Int].self) { group in
      for _ in 0..<threads {
        group.addTask {
          addresses.map { address in
            (0..<1000).count { _ in
              guard case .allowed(let place) = table.open(address, limits: limits, now: start) else { return false }
              table.close(place, now: start)
              return true
            }
          }
        }
      }
      return await group.reduce([0, 0, 0]) { zip($0, $1).map(+) }
    }
    #expect(allowed[0] == 40 && allowed[1] + allowed[2] == 40)
  }
}

@Suite struct AddressTableBoundTests {
  let limits = AddressLimits(connections: 50, handshakes: GCRA(units: 10, per: .seconds(1), burst: 40))

  @Test func `whoever owns 65,536 networks cannot have a spent one forgotten`() throws {
    let table = AddressTable(maxIdleEntries: 16_384)
    for subnet in 0..<16 {
      for _ in 0..<40 { try closed(table, "2001:db8:0:\(String(subnet, radix: 16))::1", limits) }
    }
    for _ in 0..<40 { try closed(table, "192.0.2.1", limits) }
    for network in 1...0xffff { try closed(table, "2001:db8:\(String(network, radix: 16))::1", limits) }
    #expect(table.evictions > 100_000)
    #expect(try !allows(table, "2001:db8:0:ff::1", limits), "the network of /48")
    #expect(try !allows(table, "192.0.2.1", limits), "a bystander's address")
  }

  @Test func `connections are never forgotten, and the others never more than the bound`() throws {
    let table = AddressTable(maxIdleEntries: 1024)
    var places: [AddressPlace] = []
    for number in 0..<3000 { places.append(try opened(table, "10.0.\(number / 250).\(number % 250)", limits)) }
    for number in 0..<20_000 { try closed(table, "10.1.\(number / 250).\(number % 250)", limits) }
    #expect((3000...3000 + 1024).contains(table.entryCount))
    for place in places { table.close(place, now: start) }
    #expect(table.entryCount <= 1024)
    table.sweep(now: start + .seconds(10))
    #expect(table.entryCount == 0)
  }

  private func closed(_ table: AddressTable, _ address: String, _ limits: AddressLimits) throws {
    table.close(try opened(table, address, limits), now: start)
  }
}

@Suite struct AddressTablePropertyTests {
  /// The model keeps every connection and every handshake that was allowed, and counts them anew for each question.
  @Test(arguments: 0..<12)
  func `verdicts are those of a slow obvious model`(seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    let exempt = try #require(CIDR("198.51.100.0/24"))
    let burst = Int.random(in: 1...6, using: &random)
    let cap = Int.random(in: 1...6, using: &random)
    let limits = AddressLimits(
      connections: cap, handshakes: GCRA(units: 10, per: .seconds(1), burst: UInt64(burst)), wideFactor: 3, exempt: [exempt])
    let table = AddressTable()
    var model = Model(cap: cap, burst: burst)
    let addresses = try [
      "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "198.51.100.7", "::1", "2001:db8:0:1::1", "2001:db8:0:1::2",
      "2001:db8:0:2::1",
      "2001:db8:0:3::1", "2001:db8:0:4::1", "2001:db8:1:1::1",
    ].map(ip)
    var open: [(place: AddressPlace, blocks: [String])] = []
    var now = start
    for _ in 0..<1500 {
      now = now + .milliseconds(Int.random(in: 0..<120, using: &random))
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4 where !open.isEmpty:
        let leaving = open.remove(at: Int.random(in: 0..<open.count, using: &random))
        table.close(leaving.place, now: now)
        model.close(leaving.blocks)
      case 9: table.sweep(now: now)
      default:
        guard let address = addresses.randomElement(using: &random) else { continue }
        let blocks = exempt.contains(address) ? [] : Model.blocks(of: address)
        let expected = model.open(blocks, now: now)
        switch table.open(address, limits: limits, now: now) {
        case .allowed(let place):
          #expect(expected == .allowed)
          open.append((place, blocks))
        case .full: #expect(expected == .full)
        case .tooFast: #expect(expected == .tooFast)
        }
      }
    }
    for leaving in open { table.close(leaving.place, now: now) }
    table.sweep(now: now + .seconds(3600))
    #expect(table.entryCount == 0)
  }

  private struct Model {
    enum Verdict { case allowed, full, tooFast }

    let cap: Int
    let burst: Int
    private var held: [String: Int] = [:]
    /// What is in a bucket, in billionths of a handshake, and since when.
    private var buckets: [String: (content: Int, at: Instant)] = [:]

    init(cap: Int, burst: Int) {
      self.cap = cap
      self.burst = burst
    }

    static func blocks(of address: IPAddress) -> [String] {
      let text = address.description
      guard !address.isIPv4 else { return [text] }
      return ["\(address.high)/64", "\(address.high >> 16)/48"]
    }

    mutating func open(_ blocks: [String], now: Instant) -> Verdict {
      let contents = blocks.map { content(of: $0, now: now) }
      guard contents.allSatisfy({ $0 >= 1_000_000_000 }) else { return .tooFast }
      for (block, content) in zip(blocks, contents) { buckets[block] = (content - 1_000_000_000, now) }
      guard blocks.allSatisfy({ held[$0, default: 0] < cap * factor($0) }) else { return .full }
      for block in blocks { held[block, default: 0] += 1 }
      return .allowed
    }

    mutating func close(_ blocks: [String]) {
      for block in blocks { held[block, default: 0] -= 1 }
    }

    private func content(of block: String, now: Instant) -> Int {
      let full = burst * factor(block) * 1_000_000_000
      guard let bucket = buckets[block] else { return full }
      return min(full, bucket.content + Int((now - bucket.at).nanoseconds) * 10 * factor(block))
    }

    private func factor(_ block: String) -> Int { block.hasSuffix("/48") ? 3 : 1 }
  }
}

private func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

private func opened(
  _ table: AddressTable, _ address: String, _ limits: AddressLimits, at now: Instant = start
) throws -> AddressPlace {
  guard case .allowed(let place) = table.open(try ip(address), limits: limits, now: now) else { throw Refused(address: address) }
  return place
}

private func allows(
  _ table: AddressTable, _ address: String, _ limits: AddressLimits, at now: Instant = start
) throws -> Bool {
  if case .allowed = table.open(try ip(address), limits: limits, now: now) { true } else { false }
}

private struct Refused: Error { let address: String }

private let start = Instant(nanoseconds: 1_000_000_000_000)
