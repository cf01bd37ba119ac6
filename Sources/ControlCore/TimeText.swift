internal import EdgeCore

/// A time as people read it.
public enum TimeText {
  /// `2026-01-31 23:59:59Z` of `2026-01-31T23:59:59.123Z`; any other text as it is.
  public static func full(_ rfc3339: String) -> String {
    guard WallTime(rfc3339: rfc3339) != nil, rfc3339.hasSuffix("Z") else { return TerminalText.safe(rfc3339, maxWidth: 32) }
    let parts = rfc3339.dropLast().split(separator: "T")
    return parts.count == 2 ? "\(parts[0]) \(parts[1].prefix(8))Z" : rfc3339
  }

  /// `23:59:59Z`: the time of the day alone.
  static func timeOfDay(_ rfc3339: String) -> String { String(full(rfc3339).suffix(9)) }
}
