import EdgeCore
import EdgeIO
import Testing

@testable import EdgeServer

@Suite struct `What a service manager is told` {
  private let quiet = ServiceFigures(clients: 0, workersUp: 1, workers: 2, isDraining: false)
  private let busy = ServiceFigures(clients: 1, workersUp: 2, workers: 2, isDraining: false)
  private let draining = ServiceFigures(clients: 3, workersUp: 2, workers: 2, isDraining: true)
  private let servesBusy = "Serving 1 client; 2 of 2 workers up"

  @Test func `that the edge serves, once`() {
    let test = Course()
    #expect(test.serves(quiet) == [.ready, .status("Serving 0 clients; 1 of 2 workers up")])
    #expect(test.serves(quiet) == [])
  }

  @Test func `how it is, when that has changed, every ten seconds at most`() {
    let test = Course(serving: quiet)
    #expect(test.at(9, busy) == [])
    #expect(test.at(60, quiet) == [])
    #expect(test.at(61, busy) == [.status(servesBusy)])
    #expect(test.at(70, quiet) == [])
    #expect(test.at(71, quiet) == [.status("Serving 0 clients; 1 of 2 workers up")])
  }

  @Test func `that a reload began and ended, and that one failed until one succeeds`() {
    let test = Course(serving: quiet)
    #expect(test.reloads() == [.reloading(test.start), .status("Reloading")])
    #expect(test.at(20, busy) == [], "its end is not far")
    #expect(test.reloaded(isApplied: false, busy) == [.ready, .status(servesBusy + "; the last reload failed, see the log")])
    #expect(test.at(40, busy) == [])
    _ = test.reloads()
    #expect(test.reloaded(isApplied: true, busy) == [.ready, .status(servesBusy)])
  }

  @Test func `that the edge ends, and that the drain needs more time as long as it goes on`() {
    let test = Course(serving: quiet)
    let needs: [ServiceNotice] = [.extendTimeout(ServiceCourse.extensionTime), .status("Draining: 3 clients left")]
    #expect(test.at(1, draining, isEnding: true) == [.stopping] + needs)
    #expect(test.at(5, draining, isEnding: true) == [])
    #expect(test.at(6, draining, isEnding: true) == needs)
    #expect(ServiceCourse.extensionPeriod * 2 < ServiceCourse.extensionTime)
  }

  @Test func `of a drain that can be taken back how many are left, at once`() {
    let test = Course(serving: quiet)
    #expect(test.at(1, draining) == [.status("Draining: 3 clients left")])
    #expect(test.at(2, quiet) == [.status("Serving 0 clients; 1 of 2 workers up")])
  }

  @Test func `nothing of a reload once the edge ends`() {
    let test = Course(serving: quiet)
    _ = test.reloads()
    _ = test.at(1, draining, isEnding: true)
    #expect(test.reloaded(isApplied: true, draining) == [])
    #expect(test.reloads() == [])
  }
}

@Suite struct `A sign of life` {
  @Test func `needs an answer of every reactor`() {
    let test = Beats(reactors: 3)
    #expect(test.ask() == [0, 1, 2])
    #expect([1, 0, 2].map(test.answered) == [false, false, true])
  }

  @Test func `is not given while one is silent, whatever the others say again`() {
    let test = Beats(reactors: 2)
    _ = test.ask()
    for _ in 0..<3 {
      #expect(!test.answered(0))
      #expect(test.ask() == [0], "who owes an answer is not asked again")
    }
    #expect([0, 1].map(test.answered) == [false, true], "it turns again")
  }

  @Test func `is not given while one cannot even be asked`() {
    let test = Beats(reactors: 2)
    _ = test.ask(only: 0)
    #expect(!test.answered(0))
    _ = test.ask()
    #expect([0, 1].map(test.answered) == [false, true])
  }

  @Test func `is not given for an answer that nobody asked for`() {
    let test = Beats(reactors: 1)
    #expect(!test.answered(0))
    _ = test.ask()
    #expect([0, 0].map(test.answered) == [true, false])
  }
}

/// A course whose clock a test sets.
private final class Course {
  private var course = ServiceCourse()
  private var now: Instant
  let start = Instant(nanoseconds: 1_000_000_000)

  init(serving figures: ServiceFigures? = nil) {
    now = start
    if let figures { _ = course.serves(figures, now: now) }
  }

  func serves(_ figures: ServiceFigures) -> [ServiceNotice] { course.serves(figures, now: now) }
  func reloads() -> [ServiceNotice] { course.reloads(now: now) }

  func reloaded(isApplied: Bool, _ figures: ServiceFigures) -> [ServiceNotice] {
    course.reloaded(isApplied: isApplied, figures, now: now)
  }

  func at(_ second: Int64, _ figures: ServiceFigures, isEnding: Bool = false) -> [ServiceNotice] {
    now = start + .seconds(second)
    return course.advance(figures, isEnding: isEnding, now: now)
  }
}

private final class Beats {
  private var heartbeat: Heartbeat

  init(reactors: Int) { heartbeat = Heartbeat(reactors: reactors) }

  /// Asks; gives those that were, which is `only` one where the others cannot be.
  func ask(only reachable: Int? = nil) -> [Int] {
    var asked: [Int] = []
    heartbeat.ask { index in
      guard reachable == nil || reachable == index else { return false }
      asked.append(index)
      return true
    }
    return asked
  }

  func answered(_ index: Int) -> Bool { heartbeat.answered(index) }
}
