import Testing

@testable import sluice_bench

/// Lines as proc(5) describes them.
@Suite struct ProcessFiguresTests {
  @Test(arguments: ["sluice", "a) b (c", ""])
  func `processor time is read past any program name`(name: String) {
    let ticks = ProcessTicks(stat: "42 (\(name)) S 1 42 42 0 -1 4194304 100 0 0 0 250 751 0 0 20 0 1 0 413519 3133440 394\n")
    #expect(ticks?.user == 250)
    #expect(ticks?.system == 751)
  }

  @Test(arguments: ["", "42 sluice S 1", "42 (sluice) S 1 42", "42 (sluice) S 1 42 42 0 -1 4194304 100 0 0 0 x 751 0"])
  func `a line without processor time is refused`(line: String) {
    #expect(ProcessTicks(stat: line) == nil)
  }

  @Test func `memory is read in bytes`() {
    let memory = ServerMemory(
      rollup: "1-2 ---p 0 00:00 0 [rollup]\nRss:  1756 kB\nPss:   296 kB\nPss_Dirty: 1 kB\nPss_Anon: 116 kB\n")
    #expect(memory?.proportionalBytes == 296 * 1024)
    #expect(memory?.anonymousBytes == 116 * 1024)
  }

  @Test func `memory without all its sums is refused`() {
    #expect(ServerMemory(rollup: "Pss:   296 kB\n") == nil)
  }
}
