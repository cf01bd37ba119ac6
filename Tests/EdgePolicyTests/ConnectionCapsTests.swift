import EdgeCore
import EdgePolicy
import Testing

@Suite struct ConnectionCapsTests {
  @Test func `an IPv4 address has its own cap`() throws {
    var caps = ConnectionCaps(settings: .init(connections: 2))
    let first = try opened(&caps, "192.0.2.1")
    _ = try opened(&caps, "192.0.2.1")
    #expect(try caps.open(ip("192.0.2.1")) == .full(block: #require(CIDR("192.0.2.1/32")), connections: 2))
    _ = try opened(&caps, "192.0.2.2")
    caps.close(first)
    _ = try opened(&caps, "192.0.2.1")
    #expect(try caps.connections(of: ip("192.0.2.1")) == 2)
  }

  @Test func `an IPv4-mapped address is the IPv4 address`() throws {
    var caps = ConnectionCaps(settings: .init(connections: 1))
    _ = try opened(&caps, "::ffff:192.0.2.1")
    #expect(try isFull(caps.open(ip("192.0.2.1"))))
  }

  @Test func `IPv6 addresses of one prefix share a cap`() throws {
    var caps = ConnectionCaps(settings: .init(connections: 2))
    _ = try opened(&caps, "2001:db8:0:1::1")
    _ = try opened(&caps, "2001:db8:0:1:ffff::2")
    #expect(try isFull(caps.open(ip("2001:db8:0:1::3"))))
    _ = try opened(&caps, "2001:db8:0:2::1")
  }

  @Test func `the wider prefix has a larger cap, and what it refuses is counted nowhere`() throws {
    var caps = ConnectionCaps(settings: .init(connections: 2, ipv6CapFactor: 3))
    for subnet in 1...6 { _ = try opened(&caps, "2001:db8:0:\(subnet)::1") }
    #expect(try caps.open(ip("2001:db8:0:7::1")) == .full(block: #require(CIDR("2001:db8::/48")), connections: 6))
    #expect(try caps.connections(of: ip("2001:db8:0:7::1")) == 0)
    _ = try opened(&caps, "2001:db8:1:7::1")
  }

  @Test func `the first subnet of a wide prefix is not taken for the prefix`() throws {
    var caps = ConnectionCaps(settings: .init(connections: 2, ipv6CapFactor: 4))
    for subnet in 1...3 { _ = try opened(&caps, "2001:db8:0:\(subnet)::1") }
    _ = try opened(&caps, "2001:db8::1")
    #expect(try caps.connections(of: ip("2001:db8::1")) == 1)
  }

  @Test func `exempt addresses are not counted`() throws {
    var caps = ConnectionCaps(settings: .init(connections: 1, exempt: [try #require(CIDR("10.0.0.0/8"))]))
    for _ in 0..<5 { #expect(try caps.open(ip("10.1.2.3")) == .allowed(.uncounted)) }
    caps.close(.uncounted)
    #expect(caps.entryCount == 0)
  }

  @Test func `a place taken under other settings is given back where it was taken`() throws {
    var caps = ConnectionCaps(settings: .init(connections: 1))
    let place = try opened(&caps, "2001:db8::1")
    caps.adopt(.init(connections: 1, ipv6PrefixBits: 56, ipv6CapPrefixBits: 40))
    _ = try opened(&caps, "2001:db8::2")
    caps.close(place)
    #expect(caps.entryCount == 2)
    caps.adopt(.init(connections: 1))
    _ = try opened(&caps, "2001:db8::1")
  }

  @Test func `when all have left the table is empty`() throws {
    var caps = ConnectionCaps(settings: .init(connections: 5, ipv6CapFactor: 2))
    var random = SplitMix(state: 3)
    var places: [ConnectionCaps.Place] = []
    for _ in 0..<5000 {
      if Bool.random(using: &random), let index = places.indices.randomElement(using: &random) {
        caps.close(places.remove(at: index))
      } else {
        let number = Int.random(in: 0..<40, using: &random)
        let address = try ip(number % 2 == 0 ? "192.0.2.\(number)" : "2001:db8:0:\(number)::1")
        if case .allowed(let place) = caps.open(address) { places.append(place) }
        #expect(caps.connections(of: address) <= 5)
      }
    }
    for place in places { caps.close(place) }
    #expect(caps.entryCount == 0)
  }

  private func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  private func isFull(_ verdict: ConnectionCaps.Verdict) -> Bool {
    if case .full = verdict { true } else { false }
  }

  private func opened(_ caps: inout ConnectionCaps, _ address: String) throws -> ConnectionCaps.Place {
    guard case .allowed(let place) = caps.open(try ip(address)) else { throw Refused(address: address) }
    return place
  }

  private struct Refused: Error { let address: String }
}
