extension Duration {
  /// Reads a duration as settings write it: `250ms`, `10s`, `5m`, `1h` or `1d`; nil for anything else.
  public init?(setting text: String) {
    guard let duration = Quantity.duration(text) else { return nil }
    self = duration
  }
}
