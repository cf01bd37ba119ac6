/// How large a head may be. Each limit is checked as the bytes come in, before they are kept.
public struct HeadLimits: Hashable, Sendable {
  /// The longest request line, status line or field line, in bytes without its CRLF.
  public var maxLineBytes: Int
  /// The most field lines.
  public var maxFieldCount: Int
  /// The largest head with all its line endings, in bytes.
  public var maxHeadBytes: Int

  /// Makes limits; by default 8 KiB a line, 100 fields, 32 KiB in all.
  public init(maxLineBytes: Int = 8 * 1024, maxFieldCount: Int = 100, maxHeadBytes: Int = 32 * 1024) {
    self.maxLineBytes = maxLineBytes
    self.maxFieldCount = maxFieldCount
    self.maxHeadBytes = maxHeadBytes
  }
}
