/// Writes families and samples as text, each family's `HELP` and `TYPE` once.
struct ExpositionWriter {
  /// A sample's value; counts stay exact.
  enum Value {
    case count(UInt64)
    case level(Int64)
    case real(Double)
  }

  private let format: ExpositionFormat
  private var output: [UInt8] = []

  init(_ format: ExpositionFormat) {
    self.format = format
    output.reserveCapacity(16_384)
  }

  /// Starts a family; its samples follow, and none of it comes later.
  mutating func begin(_ family: MetricFamily) {
    write("# HELP \(shownName(family)) ")
    escape(family.help, quotes: false)
    write("\n# TYPE \(shownName(family)) \(family.kind.rawValue)\n")
    if let unit = unit(of: family) { write("# UNIT \(shownName(family)) \(unit)\n") }
  }

  /// Writes one sample of a counter or gauge; `labelValues` in the order of the family's labels.
  mutating func sample(_ family: MetricFamily, _ labelValues: [String], _ value: Value) {
    write(family.name)
    writeLabels(family.labels, labelValues)
    writeValue(value)
  }

  /// Writes all samples of one histogram.
  mutating func histogram(_ family: MetricFamily, _ labelValues: [String], _ snapshot: HistogramSnapshot) {
    var total: UInt64 = 0
    for (index, count) in snapshot.counts.enumerated() {
      total &+= count
      let bound =
        index < snapshot.scale.bounds.count ? Double(snapshot.scale.bounds[index]) / snapshot.scale.unitsPerBase : .infinity
      write("\(family.name)_bucket")
      writeLabels(family.labels + ["le"], labelValues + [text(bound)])
      writeValue(.count(total))
    }
    write("\(family.name)_sum")
    writeLabels(family.labels, labelValues)
    writeValue(.real(Double(snapshot.sum) / snapshot.scale.unitsPerBase))
    write("\(family.name)_count")
    writeLabels(family.labels, labelValues)
    writeValue(.count(total))
  }

  /// Ends the exposition and gives its bytes.
  consuming func finish() -> [UInt8] {
    switch format {
    case .prometheus: break
    case .openMetrics: write("# EOF\n")
    }
    return output
  }

  // MARK: Text

  /// OpenMetrics names a counter's family without the suffix of its samples.
  private func shownName(_ family: MetricFamily) -> Substring {
    switch (format, family.kind) {
    case (.openMetrics, .counter): family.name.dropLast("_total".count)
    case (.openMetrics, .gauge), (.openMetrics, .histogram), (.prometheus, _): Substring(family.name)
    }
  }

  /// The unit that a family's name ends in; only OpenMetrics has a line for it.
  private func unit(of family: MetricFamily) -> String? {
    switch format {
    case .prometheus: nil
    case .openMetrics: ["seconds", "bytes"].first { shownName(family).hasSuffix("_\($0)") }
    }
  }

  private mutating func writeLabels(_ names: [String], _ values: [String]) {
    precondition(names.count == values.count)
    guard !names.isEmpty else { return write(" ") }
    var separator = "{"
    for (name, value) in zip(names, values) {
      write("\(separator)\(name)=\"")
      escape(value, quotes: true)
      write("\"")
      separator = ","
    }
    write("} ")
  }

  private mutating func writeValue(_ value: Value) {
    switch value {
    case .count(let count): write(String(count))
    case .level(let level): write(String(level))
    case .real(let real): write(text(real))
    }
    write("\n")
  }

  /// OpenMetrics wants a point in every bound; the older format is used to none where the value is whole.
  private func text(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
    let text = value.description
    switch format {
    case .prometheus: return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    case .openMetrics: return text
    }
  }

  private mutating func write(_ text: some StringProtocol) {
    output.append(contentsOf: text.utf8)
  }

  private mutating func escape(_ text: String, quotes: Bool) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): write("\\\\")
      case UInt8(ascii: "\n"): write("\\n")
      case UInt8(ascii: "\"") where quotes: write("\\\"")
      default: output.append(byte)
      }
    }
  }
}
