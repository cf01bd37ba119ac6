import EdgeCore
import Testing

@testable import EdgeAdmin
@testable import EdgeServer

@Suite struct `Orders to close many connections` {
  @Test func `are carried out sixteen at a time`() throws {
    let jobs = ClosingJobs()
    let order = try order()
    let running = (0..<16).compactMap { _ in jobs.begin(order, matched: 10, runs: 1) }
    #expect(running.count == 16 && Set(running.map(\.name)).count == 16)
    #expect(jobs.begin(order, matched: 10, runs: 1) == nil)
    running[5].stop()
    #expect(running[5].report.endedAt != nil && running[5].report.closed == 0)
    #expect(jobs.begin(order, matched: 10, runs: 1) != nil)
  }

  @Test func `are remembered for a while, the last sixty-four of them`() throws {
    let jobs = ClosingJobs()
    let order = try order()
    let lasting = try #require(jobs.begin(order, matched: 1, runs: 1))
    var names: [String] = []
    for _ in 0..<100 {
      let job = try #require(jobs.begin(order, matched: 1, runs: 1))
      job.stop()
      names.append(job.name)
    }
    #expect(jobs.job(lasting.name) === lasting, "what goes on is never forgotten")
    #expect(names.count { jobs.job($0) != nil } == 63)
    #expect(jobs.job(names[99]) != nil && jobs.job(names[0]) == nil)
  }

  private func order() throws -> DisconnectOrder {
    try DisconnectOrder(AdminRequest(method: "DELETE", target: "/"))
  }
}
