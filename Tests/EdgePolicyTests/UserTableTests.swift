import EdgeCore
import EdgePolicy
import Testing

@Suite struct UserTableTests {
  @Test func `without a cap everybody comes in, and shares one meter`() throws {
    let table = UserTable()
    let places = try (1...100).map { try opened(table, alice, $0, UserLimits()).place }
    #expect(places.allSatisfy { $0.meter.meter === places[0].meter.meter && $0.meter.scope == .user })
    #expect(try opened(table, bob, 101, UserLimits()).place.meter.meter !== places[0].meter.meter)
    for place in places { table.close(place, now: start) }
    table.sweep(now: start)
    #expect(table.entryCount == 1)
  }

  @Test func `a full user is refused until a place is given back`() throws {
    let table = UserTable()
    let limits = UserLimits(connections: 2)
    let first = try opened(table, alice, 1, limits).place
    _ = try opened(table, alice, 2, limits)
    guard case .full(connections: 2) = table.open(alice, connection: id(3), limits: limits, now: start) else {
      Issue.record("a third connection came in")
      return
    }
    _ = try opened(table, bob, 4, limits)
    table.close(first, now: start)
    _ = try opened(table, alice, 5, limits)
  }

  @Test func `the oldest makes room, and giving its place back changes nothing`() throws {
    let table = UserTable()
    let limits = UserLimits(connections: 2, whenFull: .replaceOldest)
    let first = try opened(table, alice, 1, limits).place
    let second = try opened(table, alice, 2, limits).place
    let third = try opened(table, alice, 3, limits)
    #expect(third.replacing.map(\.connection) == [id(1)])
    #expect(first.isReplaced && !second.isReplaced)
    table.close(first, now: start)
    #expect(try opened(table, alice, 4, limits).replacing.map(\.connection) == [id(2)])
    #expect(try opened(table, alice, 5, limits).replacing.map(\.connection) == [id(3)])
  }

  @Test func `one that leaves by itself is not the oldest any more`() throws {
    let table = UserTable()
    let limits = UserLimits(connections: 2, whenFull: .replaceOldest)
    let first = try opened(table, alice, 1, limits).place
    _ = try opened(table, alice, 2, limits)
    table.close(first, now: start)
    #expect(try opened(table, alice, 3, limits).replacing.isEmpty)
    #expect(try opened(table, alice, 4, limits).replacing.map(\.connection) == [id(2)])
  }

  @Test func `a smaller cap replaces as many as are too many`() throws {
    let table = UserTable()
    for number in 1...4 { _ = try opened(table, alice, number, UserLimits(connections: 4)) }
    let newest = try opened(table, alice, 5, UserLimits(connections: 2, whenFull: .replaceOldest))
    #expect(newest.replacing.map(\.connection) == [id(1), id(2), id(3)])
  }

  @Test(arguments: [1, 2, 4]) func `under any number of threads a user never holds more than the cap`(threads: Int) async throws {
    for whenFull in [UserLimits.WhenFull.reject, .replaceOldest] {
      let table = UserTable()
      let limits = UserLimits(connections: 10, whenFull: whenFull)
      let held = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<threads {
          group.addTask {
            (0..<2000).reduce(0) { held, number in
              guard case .allowed(_, let replacing) = table.open(alice, connection: id(number), limits: limits, now: start)
              else {
                return held
              }
              return held + 1 - replacing.count
            }
          }
        }
        return await group.reduce(0, +)
      }
      #expect(held == 10)
    }
  }

  private func opened(
    _ table: UserTable, _ user: UserID, _ connection: Int, _ limits: UserLimits
  ) throws -> (place: UserPlace, replacing: [UserPlace]) {
    guard case .allowed(let place, let replacing) = table.open(user, connection: id(connection), limits: limits, now: start)
    else {
      throw Refused(user: user)
    }
    return (place, replacing)
  }

  private struct Refused: Error { let user: UserID }
}

private let alice = UserID(auth: "main", subject: "alice")
private let bob = UserID(auth: "main", subject: "bob")

private func id(_ number: Int) -> ConnectionID { ConnectionID(reactor: 0, serial: UInt64(number)) }

private let start = Instant(nanoseconds: 1_000_000_000_000)
