/// How far something has come that takes a while.
public struct Progress: Equatable, Sendable {
  /// How much is done.
  public var done: Int64
  /// How much there is.
  public var total: Int64

  /// Makes a state of affairs.
  public init(done: Int64, of total: Int64) {
    self.done = done
    self.total = total
  }

  /// One line without its end: `[#####…………] 1,204 of 2,431 closed, 12s left`.
  ///
  /// - Parameters:
  ///   - verb: what was done to those that are done.
  ///   - perSecond: the pace; nil where it is not known.
  public func line(_ verb: String, perSecond: Double?) -> String {
    let share = total > 0 ? min(1, max(0, Double(done) / Double(total))) : 1
    let filled = Int((share * Double(barWidth)).rounded(.down))
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: barWidth - filled)
    var line = "[\(bar)] \(Figures.count(done)) of \(Figures.count(total)) \(verb)"
    if let perSecond, perSecond > 0, done < total {
      line += ", \(Figures.duration(seconds: (Double(total - done) / perSecond).rounded(.up))) left"
    }
    return line
  }
}

extension Progress {
  /// `1,204 of 2,431 closed`.
  public func summary(_ verb: String) -> String { "\(Figures.count(done)) of \(Figures.count(total)) \(verb)" }
}

private let barWidth = 24
