import EdgeCore

/// Readers of single keys. Each gives the default when the key is absent, and also when its value is refused: the refusal is
/// kept in the findings, so the result is never used, but the rest of the document is still checked.
extension Section {
  func duration(_ key: String, default fallback: Duration, in range: ClosedRange<Duration> = ordinaryDurations) -> Duration {
    optionalDuration(key, in: range) ?? fallback
  }

  func optionalDuration(_ key: String, in range: ClosedRange<Duration> = ordinaryDurations) -> Duration? {
    self[key]?.duration(in: range)
  }

  func integer(_ key: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
    optionalInteger(key, in: range) ?? fallback
  }

  func optionalInteger(_ key: String, in range: ClosedRange<Int>) -> Int? {
    let what = range.count == 1 ? "\(range.lowerBound)" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return self[key]?.parsed(what) { text in
      Quantity.integer(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  func size(_ key: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
    let ends = "\(Quantity.text(size: range.lowerBound)) to \(Quantity.text(size: range.upperBound))"
    return self[key]?.parsed("a size from \(ends), such as 64KiB") { text in
      Quantity.size(text).flatMap { range.contains($0) ? $0 : nil }
    } ?? fallback
  }

  func flag(_ key: String, default fallback: Bool) -> Bool {
    self[key]?.parsed("true or false") { text in text == "true" ? true : text == "false" ? false : nil } ?? fallback
  }

  func word<Word: RawRepresentable & CaseIterable>(_ key: String, default fallback: Word) -> Word
  where Word.RawValue == String {
    self[key]?.word(Word.self) ?? fallback
  }

  func text(_ key: String, _ what: String) -> String? {
    self[key]?.text(what)
  }

  /// A bucket's two keys, or those of a limit that holds one; the default burst is one period's worth.
  func bucket(bytes: Bool) -> Configuration.Bucket? {
    let example = bytes ? "a rate in bytes such as 64KiB/s" : "a rate such as 20/s or 100/m"
    let rate = required("rate", example)?.rate(bytes: bytes, example)
    let range = 1...(bytes ? maxBurstBytes : maxBurst)
    let burst = bytes ? size("burst", default: 0, in: range) : integer("burst", default: 0, in: range)
    guard let rate else { return nil }
    return Configuration.Bucket(rate: rate, burst: burst > 0 ? burst : rate.count)
  }

  /// The limit of messages or bytes at `key`, or nil.
  func meteredLimit(_ key: String, bytes: Bool) -> Configuration.MeteredLimit? {
    self[key]?.section { section in
      let bucket = section.bucket(bytes: bytes)
      let over = section.word("over", default: Configuration.Excess.delay)
      let closeAfter = section.optionalDuration("close_after")
      guard let bucket else { return nil }
      return Configuration.MeteredLimit(rate: bucket.rate, burst: bucket.burst, over: over, closeAfter: closeAfter)
    }
  }
}

extension Setting {
  func duration(in range: ClosedRange<Duration> = ordinaryDurations) -> Duration? {
    parsed("a duration from \(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound)), such as 10s or 250ms") {
      text in
      Quantity.duration(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  func rate(bytes: Bool, _ example: String) -> Configuration.Rate? {
    parsed(example) { text in
      Quantity.rate(text) { count in
        (bytes ? Quantity.size(count) : Quantity.integer(count)).flatMap { $0 <= maxBurstBytes ? $0 : nil }
      }
    }
  }

  /// The name of a route, pool and so on: it becomes a metric label and a part of key paths.
  func name() -> String? {
    parsed(nameRule) { isName($0) ? $0 : nil }
  }

  /// The name of a file. Relative ones count from the working directory.
  func file() -> String? {
    text("the name of a file")
  }

  func network() -> CIDR? {
    parsed("an address or a block such as 10.0.0.0/8 or 2001:db8::/32") { CIDR($0) }
  }
}

/// Whether a text may name something: letters, digits, `_` and `-`, at most 64.
func isName(_ text: String) -> Bool {
  (1...64).contains(text.utf8.count)
    && text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
}

let nameRule = "a name of at most 64 letters, digits, \"_\" and \"-\""
/// The range of most durations: long enough to act on, short enough for every clock.
let ordinaryDurations: ClosedRange<Duration> = .milliseconds(1) ... .seconds(30 * 86_400)
/// The range of durations that zero turns off.
let durationsFromZero: ClosedRange<Duration> = .zero ... .seconds(30 * 86_400)
private let maxBurst = 1_000_000_000
private let maxBurstBytes = 1_099_511_627_776
