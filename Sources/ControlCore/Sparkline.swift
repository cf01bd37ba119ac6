/// The last values of something in one line of bars.
public struct Sparkline: Sendable {
  private var values: [Double] = []
  private let capacity: Int

  /// Makes a line that keeps so many values.
  public init(capacity: Int = 60) {
    self.capacity = max(1, capacity)
  }

  /// Adds the newest value.
  public mutating func add(_ value: Double) {
    values.append(value.isFinite ? max(0, value) : 0)
    if values.count > capacity { values.removeFirst(values.count - capacity) }
  }

  /// The newest values in `width` columns at most, the highest of them at full height.
  public func text(width: Int) -> String {
    let shown = values.suffix(max(0, width))
    let highest = shown.max() ?? 0
    return String(
      shown.map { value -> Character in
        guard highest > 0, value > 0 else { return bars[0] }
        return bars[min(bars.count - 1, max(1, Int((value / highest * Double(bars.count - 1)).rounded())))]
      })
  }
}

private let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
