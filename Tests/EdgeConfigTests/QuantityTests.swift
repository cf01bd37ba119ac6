import EdgeCore
import Testing

@testable import EdgeConfig

@Suite struct `Durations, sizes, rates` {
  @Test(arguments: [
    ("250ms", Duration.milliseconds(250), "250ms"), ("10s", .seconds(10), "10s"), ("60s", .seconds(60), "1m"),
    ("5m", .seconds(300), "5m"), ("1h", .seconds(3600), "1h"), ("1d", .seconds(86_400), "1d"), ("0s", .zero, "0s"),
    ("1500ms", .milliseconds(1500), "1500ms"), ("090s", .seconds(90), "90s"),
  ])
  func `a duration is a whole number and a unit`(text: String, duration: Duration, written: String) {
    #expect(Quantity.duration(text) == duration)
    #expect(Quantity.text(duration) == written)
  }

  @Test(arguments: [
    "", "s", "10", "10 s", "1.5s", "-1s", "+1s", "10S", "10sec", "1h30m", "٣s", "99999999999999999999s", "9223372036854775807d",
    "1e3s", "0x1s", "10s ",
  ])
  func `anything else is no duration`(text: String) {
    #expect(Quantity.duration(text) == nil)
  }

  @Test(arguments: [
    ("512", 512, "512"), ("1024", 1024, "1KiB"), ("64KiB", 65_536, "64KiB"), ("1MiB", 1_048_576, "1MiB"),
    ("1GiB", 1_073_741_824, "1GiB"), ("7B", 7, "7"), ("1025KiB", 1_049_600, "1025KiB"), ("0", 0, "0"),
  ])
  func `a size is a number of bytes`(text: String, bytes: Int, written: String) {
    #expect(Quantity.size(text) == bytes)
    #expect(Quantity.text(size: bytes) == written)
  }

  @Test(arguments: ["", "KiB", "1K", "1KB", "1kib", "1 KiB", "-1", "1.5MiB", "9223372036854775807KiB", "1TiB"])
  func `anything else is no size`(text: String) {
    #expect(Quantity.size(text) == nil)
  }

  @Test(arguments: [
    ("20/s", 20, Duration.seconds(1), "20/s"), ("100/m", 100, .seconds(60), "100/m"), ("1/h", 1, .seconds(3600), "1/h"),
    ("5/10s", 5, .seconds(10), "5/10s"), ("5/1s", 5, .seconds(1), "5/s"), ("3/100ms", 3, .milliseconds(100), "3/100ms"),
    ("2/ms", 2, .milliseconds(1), "2/ms"), ("9/60s", 9, .seconds(60), "9/m"),
  ])
  func `a rate is a count in a time`(text: String, count: Int, per: Duration, written: String) {
    let rate = Quantity.rate(text) { Quantity.integer($0) }
    #expect(rate == Configuration.Rate(count: count, per: per))
    #expect(rate.map { Quantity.text($0, count: { String($0) }) } == written)
  }

  @Test(arguments: ["", "/", "20", "20/", "/s", "0/s", "20/0s", "20/s/s", "20 / s", "20/x", "-1/s", "1.5/s"])
  func `anything else is no rate`(text: String) {
    #expect(Quantity.rate(text) { Quantity.integer($0) } == nil)
  }

  @Test(arguments: [
    ("chta", "chat", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("ab", "ba", 1),
    (String(repeating: "a", count: 65), "a", Int.max),
  ])
  func `words are compared by letters added, removed, replaced or swapped`(lhs: String, rhs: String, distance: Int) {
    #expect(editDistance(lhs, rhs) == distance)
    #expect(editDistance(rhs, lhs) == distance)
  }
}
