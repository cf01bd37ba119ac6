import Testing

@testable import ControlCore

@Suite struct `Figures for people` {
  @Test(
    arguments: [
      (0, "0s"), (-1, "0s"), (0.8504, "850ms"), (12.9, "12s"), (185, "3m05s"), (8_040, "2h14m"), (442_800, "5d03h"),
      (.infinity, "0s"), (.nan, "0s"), (1e300, "11574074d01h"),
    ] as [(Double, String)])
  func `a time has its two largest units`(seconds: Double, text: String) {
    #expect(Figures.duration(seconds: seconds) == text)
  }

  @Test(
    arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567"), (.max, "9,223,372,036,854,775,807")]
      as [(Int64, String)])
  func `a count has its thousands apart`(number: Int64, text: String) {
    #expect(Figures.count(number) == text)
  }

  @Test(
    arguments: [(0, "0 B"), (1_023, "1023 B"), (1_434, "1.4 KiB"), (1_048_576, "1.0 MiB"), (1e30, "1000000000000000.0 PiB")]
      as [(Double, String)])
  func `a size has a unit`(bytes: Double, text: String) {
    #expect(Figures.bytes(bytes).hasSuffix(String(text.suffix(3))) && (bytes > 1e29 || Figures.bytes(bytes) == text))
  }

  @Test(arguments: [(0, "0/s"), (0.25, "0.3/s"), (3.2, "3.2/s"), (1_240.4, "1,240/s")] as [(Double, String)])
  func `a pace is by the second`(rate: Double, text: String) {
    #expect(Figures.rate(rate) == text)
  }

  @Test func `one is not many`() {
    #expect(Figures.count(1, "connection") == "1 connection")
    #expect(Figures.count(2_431, "connection") == "2,431 connections")
  }
}
