import EdgeCore
import Testing

@testable import EdgeServer

@Suite struct `The course of a drain` {
  private let plan = DrainPlan(delay: .seconds(5), spread: .seconds(30), timeout: .seconds(60))

  @Test func `tells clients after the delay, cuts off who is left at its timeout, and lasts until it is taken back`() {
    let test = Course()
    test.begin(plan, endsProcess: false)
    #expect(test.course.isDraining)
    #expect(test.deadline == 5)
    #expect(test.at(4.9) == .nothing)
    #expect(test.at(5) == .tellClients(spread: .seconds(30), endsProcess: false))
    #expect(test.at(6, connections: 0) == .nothing)
    #expect(test.deadline == 60)
    #expect(test.at(60) == .cutOff)
    #expect(test.at(61) == .nothing)
    #expect(test.course.isDraining)
    #expect(test.takeBack())
    #expect(!test.course.isDraining)
    #expect(test.at(100) == .nothing)
  }

  @Test(arguments: [0.0, 3, 5, 20, 70])
  func `is taken back at any time`(when: Double) {
    let test = Course()
    test.begin(plan, endsProcess: false)
    for second in stride(from: 0, through: when, by: 1) { _ = test.at(second) }
    #expect(test.takeBack())
    #expect(test.course.drain == nil && test.deadline == nil)
    #expect(test.at(when + 100) == .nothing)
  }

  @Test func `asked for again stays as it is`() {
    let test = Course()
    test.begin(plan, endsProcess: false)
    _ = test.at(5)
    let before = test.course.drain
    test.begin(DrainPlan(delay: .zero, spread: .zero, timeout: .seconds(1)), endsProcess: false)
    #expect(test.course.drain == before)
    #expect(test.at(10) == .nothing)
  }

  @Test func `that ends the process does so when nobody is left, and is not taken back`() {
    let test = Course()
    test.begin(plan, endsProcess: true)
    #expect(test.at(1, connections: 0) == .nothing, "load balancers are given the delay")
    #expect(test.at(5) == .tellClients(spread: .seconds(30), endsProcess: true))
    #expect(!test.takeBack())
    #expect(test.at(20, connections: 1) == .nothing)
    #expect(test.at(21, connections: 0) == .stop(reason: "All connections have ended."))
  }

  @Test func `that ends the process does so at its timeout, even within the delay`() {
    let test = Course()
    test.begin(DrainPlan(delay: .seconds(30), spread: .seconds(30), timeout: .seconds(1)), endsProcess: true)
    #expect(test.deadline == 1)
    #expect(test.at(1) == .tellClients(spread: .seconds(30), endsProcess: true))
    #expect(test.at(1) == .stop(reason: "The drain's time is over."))
  }

  @Test func `a signal ends a drain with the process, and what was waited already counts`() {
    let test = Course()
    test.begin(plan, endsProcess: false)
    _ = test.at(5)
    test.now = 7
    #expect(test.signalled(plan))
    #expect(test.at(7) == .tellClients(spread: .seconds(30), endsProcess: true))
    #expect(!test.takeBack())
    #expect(test.deadline == 67)
    #expect(!test.signalled(plan), "the second signal")
  }

  @Test func `a signal after an order to end is no second signal, and gives no more time`() {
    let test = Course()
    test.begin(plan, endsProcess: true)
    test.now = 20
    #expect(test.signalled(plan))
    #expect(test.at(20) == .tellClients(spread: .seconds(30), endsProcess: true))
    #expect(test.deadline == 60)
    #expect(!test.signalled(plan))
  }

  @Test func `an order to end hastens a drain that was to last`() {
    let test = Course()
    test.begin(plan, endsProcess: false)
    for second in [5.0, 60] { _ = test.at(second) }
    test.begin(plan, endsProcess: true)
    #expect(test.at(60) == .tellClients(spread: .seconds(30), endsProcess: true))
    #expect(test.at(61, connections: 0) == .stop(reason: "All connections have ended."))
  }

  @Test func `begins neither nor ends once the process has stopped`() {
    let test = Course()
    test.course.stop()
    test.begin(plan, endsProcess: false)
    #expect(!test.takeBack())
    #expect(!test.signalled(plan))
    #expect(test.course.isDraining && test.course.drain == nil)
  }
}

@Suite struct `The times of departures` {
  @Test(arguments: [1, 2, 7, 1_000])
  func `are spread evenly: one in each share of the time`(count: Int) {
    let start = Instant(nanoseconds: 1_000)
    let times = DepartureTimes(from: start, over: .seconds(10), count: count)
    for index in 0..<count {
      let share = (times.time(of: index) - start).inSeconds / 10 * Double(count)
      #expect(share >= Double(index) - 0.001 && share <= Double(index) + 1.001)
    }
  }

  @Test func `are now where there is no time to spread over`() {
    let start = Instant(nanoseconds: 1_000)
    #expect(DepartureTimes(from: start, over: .zero, count: 5).time(of: 4) == start)
    #expect(DepartureTimes(from: start, over: .seconds(-1), count: 0).time(of: 0) == start)
  }
}

/// A course with a clock in seconds. (A class, since `#expect` takes no mutating call on a value.)
private final class Course {
  var course = DrainCourse()
  var now = 0.0

  func begin(_ plan: DrainPlan, endsProcess: Bool) { course.begin(plan, endsProcess: endsProcess, now: instant) }

  func signalled(_ plan: DrainPlan) -> Bool { course.signalled(plan, now: instant) }

  func takeBack() -> Bool { course.takeBack() }

  func at(_ seconds: Double, connections: Int = 10) -> DrainCourse.Action {
    now = seconds
    return course.advance(connections: connections, now: instant)
  }

  /// In seconds; nil for never.
  var deadline: Double? {
    course.deadline == .distantFuture ? nil : (course.deadline - Instant(nanoseconds: 0)).inSeconds
  }

  private var instant: Instant { Instant(nanoseconds: 0) + .milliseconds(Int64(now * 1_000)) }
}
