import EdgeCore
import Synchronization
import Testing

@testable import EdgeAdmin

@Suite struct `The hub of events` {
  @Test func `gives each reader what it asked for, with one serial number for all`() throws {
    let hub = EventHub()
    let all = try #require(hub.subscribe(EventFilter(), now: start))
    let some = try #require(hub.subscribe(try EventFilter("types=closed,denied&user=bob"), now: start))
    hub.publish(event(.opened, user: "bob"))
    hub.publish(event(.closed, user: "alice"))
    hub.publish(event(.closed, user: "bob"))
    #expect(
      text(all) == """
        : heartbeat

        id: 1
        event: opened
        data: {"at":"1970-01-01T00:33:20.000Z","user":"bob","n":1}

        id: 2
        event: closed
        data: {"at":"1970-01-01T00:33:20.000Z","user":"alice","n":1}

        id: 3
        event: closed
        data: {"at":"1970-01-01T00:33:20.000Z","user":"bob","n":1}


        """)
    #expect(serials(text(some)) == [3])
  }

  @Test func `makes no event where nobody reads`() throws {
    let hub = EventHub()
    let made = Mutex(0)
    let make: @Sendable () -> AdminEvent = {
      made.withLock { $0 += 1 }
      return event(.opened)
    }
    hub.publish(make())
    let reader = try #require(hub.subscribe(EventFilter(), now: start))
    hub.publish(make())
    hub.unsubscribe(reader)
    hub.publish(make())
    #expect(made.withLock { $0 } == 1)
  }

  @Test func `keeps an event in one line, whatever it tells`() throws {
    let hub = EventHub()
    let reader = try #require(hub.subscribe(EventFilter(), now: start))
    hub.publish(event(.denied, user: "a\n\ndata: forged\r\u{2028}\u{85}"))
    #expect(text(reader).split(separator: "\n").count == 4)
  }

  @Test func `lets sixteen read, and another when one has left`() throws {
    let hub = EventHub()
    let readers = (0..<16).compactMap { _ in hub.subscribe(EventFilter(), now: start) }
    #expect(readers.count == 16)
    #expect(hub.subscribe(EventFilter(), now: start) == nil)
    hub.unsubscribe(readers[3])
    #expect(hub.subscribe(EventFilter(), now: start) != nil)
  }

  @Test func `drops what a slow reader has no room for, and tells how much that was`() throws {
    let hub = EventHub()
    let reader = try #require(hub.subscribe(EventFilter(), now: start))
    let count = 10_000
    for _ in 0..<count { hub.publish(event(.opened, user: "somebody with a name")) }
    let first = text(reader)
    #expect(first.utf8.count <= EventReader.maxWaitingBytes + 100)
    let kept = serials(first).count
    #expect(serials(first) == Array(1...kept) && kept < count)
    #expect(first.hasSuffix("event: lost\ndata: {\"count\":\(count - kept)}\n\n"))
    hub.publish(event(.closed))
    #expect(serials(text(reader)) == [count + 1])
  }

  @Test func `sends a heartbeat every fifteen seconds`() throws {
    let hub = EventHub()
    let reader = try #require(hub.subscribe(EventFilter(), now: start))
    #expect(text(reader) == ": heartbeat\n\n")
    var seen: [Int] = []
    for second in 1...40 {
      hub.tick(now: start + .seconds(second))
      if text(reader) == ": heartbeat\n\n" { seen.append(second) }
    }
    #expect(seen == [15, 30])
  }

  @Test func `wakes a parked connection once, when there is something for it`() throws {
    let hub = EventHub()
    let reader = try #require(hub.subscribe(try EventFilter("types=opened"), now: start))
    let wakes = Parked()
    #expect(reader.take(100, park: wakes.park) == .bytes(Array(": heartbeat\n\n".utf8)))
    #expect(reader.take(100, park: wakes.park) == .parked)
    hub.publish(event(.closed))
    #expect(wakes.count == 0)
    hub.publish(event(.opened))
    hub.publish(event(.opened))
    #expect(wakes.count == 1)
    #expect(serials(text(reader)) == [2, 3])
  }

  @Test func `ends the stream of a reader that is gone`() throws {
    let hub = EventHub()
    let reader = try #require(hub.subscribe(EventFilter(), now: start))
    let parked = Parked()
    _ = reader.take(100, park: parked.park)
    _ = reader.take(100, park: parked.park)
    hub.tick(now: start)
    #expect(parked.count == 0)
    parked.abandon()
    hub.tick(now: start)
    #expect(parked.count == 1)
    #expect(reader.take(100, park: parked.park) == .end)
  }

  @Test func `ends every stream when it closes, and begins none`() throws {
    let hub = EventHub()
    let reader = try #require(hub.subscribe(EventFilter(), now: start))
    let parked = Parked()
    while reader.take(100, park: parked.park) != .parked {}
    hub.close()
    #expect(parked.count == 1)
    #expect(reader.take(100, park: parked.park) == .end)
    hub.publish(event(.opened))
    #expect(reader.take(100, park: parked.park) == .end)
    #expect(hub.subscribe(EventFilter(), now: start) == nil)
  }

  @Test(arguments: ["types=", "types=opened,", "types=opened,shut", "types=lost", "ip=x", "who=me", "route=a&route=b"])
  func `refuses a filter that is wrong`(query: String) {
    let problem = #expect(throws: AdminProblem.self) { _ = try EventFilter(query[...]) }
    #expect(problem?.status == 400)
  }

  @Test func `filters by route, user and block of addresses`() throws {
    let filter = try EventFilter("route=chat&user=bob&ip=10.0.0.0/8")
    let wanted = AdminEvent(.opened, at: now, route: "chat", user: "bob", address: IPAddress("10.1.2.3"))
    #expect(filter.matches(wanted))
    for change in [\AdminEvent.route, \.user] as [WritableKeyPath<AdminEvent, String?> & Sendable] {
      for other in [nil, "x"] {
        var event = wanted
        event[keyPath: change] = other
        #expect(!filter.matches(event))
      }
    }
    for address in [nil, IPAddress("11.1.2.3")] {
      var event = wanted
      event.address = address
      #expect(!filter.matches(event))
    }
  }

  private func text(_ reader: EventReader) -> String {
    var bytes: [UInt8] = []
    while case .bytes(let more) = reader.take(1_000, park: Parked().park) { bytes += more }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func serials(_ text: String) -> [Int] {
    text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.compactMap { Int($0.dropFirst(4)) }
  }
}

/// A connection that is parked, as often as one likes.
private final class Parked: Sendable {
  private let resumed = Mutex(0)
  private let isAbandoned = Mutex(false)

  var count: Int { resumed.withLock { $0 } }

  func abandon() { isAbandoned.withLock { $0 = true } }

  func park() -> EventReader.Parking {
    EventReader.Parking(
      resume: { self.resumed.withLock { $0 += 1 } }, isAbandoned: { self.isAbandoned.withLock { $0 } })
  }
}

private func event(_ kind: AdminEvent.Kind, user: String? = nil) -> AdminEvent {
  AdminEvent(kind, at: now, user: user, details: [JSON.Member(name: "n", value: 1)])
}

private let start = Instant(nanoseconds: 1_000_000_000)
