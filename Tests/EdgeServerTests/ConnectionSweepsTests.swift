import EdgeCore
import EdgeIO
import Testing

@testable import EdgeServer

@Suite struct `Sweeps through connections` {
  @Test func `meet each connection once, one sweep after the other`() throws {
    let reactor = try Reactor()
    let sweeps = try ConnectionSweeps(reactor)
    var met: [[ConnectionID]] = [[], [], []]
    var finished: [Int] = []
    let wanted = [ids(950), [], ids(3)]
    for (index, ids) in wanted.enumerated() {
      sweeps.begin(ids) {
        met[index].append($0)
      } finish: {
        finished.append(index)
      }
    }
    while finished.count < 3 { reactor.runTurn(until: .distantFuture) }
    #expect(finished == [0, 1, 2])
    #expect(met == wanted)
  }

  @Test func `look at a share in a turn, however many there are`() throws {
    let reactor = try Reactor()
    let sweeps = try ConnectionSweeps(reactor)
    var (met, most) = (0, 0)
    var isOver = false
    func begin(_ count: Int) {
      sweeps.begin(ids(count)) { _ in
        met += 1
      } finish: {
        isOver = count == 500
      }
    }
    begin(500)
    begin(500)
    most = met
    while !isOver || met < 1_000 {
      let before = met
      reactor.runTurn(until: .distantFuture)
      most = max(most, met - before)
    }
    #expect(most == ConnectionSweeps.share)
  }

  @Test func `rest after a share as long as it took, even where the next sweep begins at once`() throws {
    let reactor = try Reactor()
    let sweeps = try ConnectionSweeps(reactor)
    var (finished, began) = (Instant.distantFuture, Instant?.none)
    sweeps.begin(ids(1)) { _ in
      let start = MonotonicClock.now()
      while MonotonicClock.now() - start < .milliseconds(1) {}
    } finish: {
      finished = MonotonicClock.now()
    }
    sweeps.begin(ids(1)) { _ in
      began = MonotonicClock.now()
    } finish: {
    }
    while began == nil { reactor.runTurn(until: .distantFuture) }
    #expect(try #require(began) - finished >= .milliseconds(1))
  }

  private func ids(_ count: UInt64) -> [ConnectionID] {
    count == 0 ? [] : (1...count).map { ConnectionID(reactor: 0, serial: $0) }
  }

  private func ids(_ count: Int) -> [ConnectionID] { ids(UInt64(count)) }
}
