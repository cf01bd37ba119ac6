import EdgeCore
import Testing

@testable import EdgeTelemetry

@Suite struct `The queue of log lines` {
  @Test func `lines come out whole and in order, and only the first wakes the writer`() {
    let queue = LogQueue()
    #expect(queue.offer(line("a")) == .queuedFirst)
    #expect(queue.offer(line("b")) == .queued)
    let batch = queue.takeAll()
    #expect(batch.bytes == line("a") + line("b"))
    #expect(batch.records == 2)
    #expect(queue.takeAll() == LogQueue.Batch())
    #expect(queue.offer(line("c")) == .queuedFirst)
  }

  @Test func `a full queue drops and counts, by bytes and by records`() {
    let byBytes = LogQueue(maxBytes: 4, maxRecords: 100)
    #expect(byBytes.offer(line("abc")) == .queuedFirst)
    #expect(byBytes.offer(line("")) == .dropped)
    let byRecords = LogQueue(maxBytes: 100, maxRecords: 1)
    #expect(byRecords.offer(line("a")) == .queuedFirst)
    #expect(byRecords.offer(line("b")) == .dropped)
    #expect(byRecords.takeAll().dropped == 1)
    #expect(byRecords.takeAll().dropped == 0)
  }

  @Test func `the room of a batch that was dealt with is used again, but for a burst's`() {
    let queue = LogQueue()
    var batch = LogQueue.Batch()
    for text in ["a", "b", String(repeating: "c", count: 1_000_000)] {
      #expect(queue.offer(line(text)) == .queuedFirst)
      queue.exchange(&batch)
      #expect(batch.bytes == line(text))
      #expect(batch.records == 1)
    }
    queue.exchange(&batch)
    queue.exchange(&batch)
    #expect(batch == LogQueue.Batch())
    #expect(batch.bytes.capacity < 1_000_000)
  }

  @Test func `lines that could not be written are counted once, and told of by the next batch`() {
    let queue = LogQueue(maxBytes: 100, maxRecords: 1)
    for text in ["a", "b", "c"] { _ = queue.offer(line(text)) }
    let batch = queue.takeAll()
    #expect(batch.dropped == 2)
    queue.countLost(records: batch.records, untold: batch.dropped)
    #expect(queue.droppedRecords == 3)
    #expect(queue.offer(line("d")) == .queuedFirst)
    #expect(queue.takeAll().dropped == 3)
    #expect(queue.takeAll().dropped == 0)
  }

  @Test func `what is offered by many threads is taken or counted`() async {
    let queue = LogQueue(maxBytes: 1_000, maxRecords: 50)
    let offers = 4 * 5_000
    let taken = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<5_000 { _ = queue.offer(Array("line\n".utf8)) }
          return 0
        }
      }
      group.addTask { (0..<1_000).reduce(0) { sum, _ in sum + queue.takeAll().records } }
      return await group.reduce(0, +)
    }
    #expect(taken + queue.takeAll().records + Int(queue.droppedRecords) == offers)
  }

  private func line(_ text: String) -> [UInt8] { Array("\(text)\n".utf8) }
}

@Suite struct `A disk that takes only a part` {
  private let lines = Array("one\ntwo\nthree\n".utf8)

  @Test func `wherever it stops, the file has whole lines in the end, and each other line is counted`() {
    for first in 0..<lines.count {
      for second in 0..<lines.count {
        var file = Array(lines[..<first])
        var remainder = LineRemainder()
        var lost = remainder.keep(of: lines, taken: first)
        let again = remainder.bytes + lines
        file += again[..<second]
        lost += remainder.keep(of: again, taken: second)
        file += remainder.bytes + Array("last\n".utf8)
        let written = file.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        #expect(Set(written).isSubset(of: ["one", "two", "three", "last"]), "\(first), \(second): \(written)")
        #expect(written.count + lost == 7)
      }
    }
  }

  @Test func `a line whose beginning went into another file is lost`() {
    var remainder = LineRemainder()
    #expect(remainder.keep(of: lines, taken: 5) == 1)
    #expect(remainder.bytes == Array("wo\n".utf8))
    #expect(remainder.clear() == 1)
    #expect(remainder == LineRemainder())
    #expect(remainder.clear() == 0)
  }
}

@Suite struct `Denials in the log` {
  @Test func `one address gets one line a second, with a count`() throws {
    var limiter = DenialLimiter()
    let address = try #require(IPAddress("192.0.2.1"))
    #expect(limiter.judge(address, now: at(0)) == .log(suppressed: 0))
    #expect(limiter.judge(address, now: at(1)) == .suppress)
    #expect(limiter.judge(address, now: at(999)) == .suppress)
    #expect(limiter.judge(address, now: at(1_000)) == .log(suppressed: 2))
    #expect(limiter.judge(address, now: at(2_000)) == .log(suppressed: 0))
    #expect(limiter.judge(IPAddress("192.0.2.2"), now: at(2_000)) == .log(suppressed: 0))
  }

  @Test func `counts of an address that went quiet are told once`() throws {
    var limiter = DenialLimiter()
    let address = try #require(IPAddress("2001:db8::1"))
    for time in 0..<5 { _ = limiter.judge(address, now: at(time)) }
    #expect(limiter.takeExpired(now: at(999)).isEmpty)
    #expect(limiter.takeExpired(now: at(1_000)) == [.init(address: address, suppressed: 4)])
    #expect(limiter.judge(address, now: at(1_500)) == .suppress)
    #expect(limiter.takeExpired(now: at(2_000)) == [.init(address: address, suppressed: 1)])
    #expect(limiter.takeExpired(now: at(3_000)).isEmpty)
  }

  @Test func `a flood of addresses shares one line once the table is full`() {
    var limiter = DenialLimiter(maxAddresses: 10)
    var lines = 0
    for host in 0..<1_000 as Range<UInt32> {
      if case .log = limiter.judge(IPAddress(v4: host), now: at(1)) { lines += 1 }
    }
    #expect(lines == 11)
    let summaries = limiter.takeExpired(now: at(1_001))
    #expect(summaries == [.init(address: nil, suppressed: 989)])
    #expect(limiter.judge(IPAddress(v4: 7), now: at(1_002)) == .log(suppressed: 0))
  }

  private func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 0) + .milliseconds(milliseconds) }
}

@Suite struct `Failures of workers` {
  @Test func `are counted by reason and forgotten with the worker`() {
    let counts = WorkerFailureCounts()
    counts.record(worker: "/a", reason: "refused")
    counts.record(worker: "/a", reason: "refused")
    counts.record(worker: "/b", reason: "hung")
    #expect(counts.failures(of: "/a") == ["refused": 2])
    counts.keep(only: ["/a"])
    #expect(counts.failures(of: "/b").isEmpty)
    #expect(counts.failures(of: "/a") == ["refused": 2])
  }
}

extension LogQueue {
  fileprivate func offer(_ line: [UInt8]) -> Outcome { offer(line.span) }

  fileprivate func takeAll() -> Batch {
    var batch = Batch()
    exchange(&batch)
    return batch
  }
}
