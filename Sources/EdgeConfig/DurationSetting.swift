import EdgeCore

extension Duration {
  /// Reads a duration as settings write it: `250ms`, `10s`, `5m`, `1h` or `1d`; nil for anything else.
  public init?(setting text: String) {
    guard let duration = Quantity.duration(text) else { return nil }
    self = duration
  }

  /// The duration as a configuration writes it, in the largest unit that leaves a whole number; below a millisecond is lost.
  public var settingText: String { Quantity.text(self) }
}
