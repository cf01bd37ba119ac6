import EdgeCore
import EdgePolicy
import Testing

/// How many of a kind pass before one does not.
private func passed(_ kind: FloodBudget.Kind, _ budget: inout FloodBudget, now: Instant) -> Int {
  var count = 0
  while count < 100_000, budget.charge(kind, now: now) { count += 1 }
  return count
}

@Suite struct FloodBudgetTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  @Test(arguments: FloodBudget.Kind.allCases)
  func `every kind has an end, and a budget of its own`(kind: FloodBudget.Kind) {
    var budget = FloodBudget()
    #expect((20...1000).contains(passed(kind, &budget, now: start)))
    for other in FloodBudget.Kind.allCases where other != kind {
      let isAllowed = budget.charge(other, now: start)
      #expect(isAllowed)
    }
  }

  @Test func `resets that the client provokes may be 100 in 10 seconds`() {
    var budget = FloodBudget()
    #expect(passed(.resetProvoked, &budget, now: start) == 100)
    #expect(passed(.resetProvoked, &budget, now: start + .seconds(10)) == 100)
  }

  @Test func `a client may answer each frame of data with updates of two windows`() {
    var budget = FloodBudget()
    _ = passed(.windowUpdate, &budget, now: start)
    for _ in 0..<1000 { budget.sentData() }
    #expect(passed(.windowUpdate, &budget, now: start) == 2000)
  }

  @Test func `the words are what the metric is labelled with`() {
    #expect(Set(FloodBudget.Kind.allCases.map(\.word)).count == FloodBudget.Kind.allCases.count)
  }
}
