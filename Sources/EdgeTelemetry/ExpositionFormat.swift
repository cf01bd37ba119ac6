internal import EdgeCore

/// A text format that scrapers read.
public enum ExpositionFormat: Sendable, CaseIterable {
  /// Prometheus text format 0.0.4.
  case prometheus
  /// OpenMetrics 1.0.
  case openMetrics

  /// Chooses by the request's `Accept` field (RFC 9110 §12.5.1): OpenMetrics only where a client names it with a quality
  /// above zero and not below that of `text/plain`. Anything else gets the Prometheus format, which every scraper reads.
  public init(accept: String?) {
    var openMetrics = 0
    var plain = 0
    for range in (accept ?? "").utf8.split(separator: UInt8(ascii: ",")).prefix(32) {
      let parts = range.split(separator: UInt8(ascii: ";")).map { String(Substring(ASCII.trimmed($0))).lowercased() }
      let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { thousandths($0.dropFirst(2)) } ?? 1_000
      let version = parts.dropFirst().first { $0.hasPrefix("version=") }?.dropFirst(8)
      switch parts.first {
      case "application/openmetrics-text" where version == nil || version == "1.0.0" || version == "0.0.1":
        openMetrics = max(openMetrics, quality)
      case "text/plain": plain = max(plain, quality)
      default: continue
      }
    }
    self = openMetrics > 0 && openMetrics >= plain ? .openMetrics : .prometheus
  }

  /// The response's `Content-Type`.
  public var contentType: String {
    switch self {
    case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }
}

/// Reads a weight of at most three decimals (RFC 9110 §12.4.2), in thousandths; zero if it is none.
private func thousandths(_ text: Substring) -> Int {
  let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
  guard let whole = parts.first, whole.count == 1, let unit = whole.first, unit == 0x30 || unit == 0x31 else { return 0 }
  var value = Int(unit - 0x30) * 1_000
  if parts.count == 2 {
    guard parts[1].count <= 3, parts[1].allSatisfy(ASCII.isDigit) else { return 0 }
    var scale = 100
    for digit in parts[1] {
      value += Int(digit - 0x30) * scale
      scale /= 10
    }
  }
  return min(value, 1_000)
}
