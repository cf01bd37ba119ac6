public import EdgeCore

/// How log lines look.
public enum LogFormat: String, Sendable, CaseIterable {
  /// One JSON object a line.
  case json
  /// Time, level and message, then `name=value` pairs.
  case text
}

/// One line of a log, written field by field.
///
/// Text from peers may be put into any field: it is cut at `maxTextBytes`, and escaped so that it can neither end the line nor steer
/// a terminal. Tokens, cookies and query strings must not be put in; `url.path` is cut at its query all the same. What has been added
/// stays: a field is added once.
///
/// A WebSocket's two lines are written while it waits, so each value goes straight to its place in the line.
public struct LogLine: ~Copyable {
  private let format: LogFormat
  private var line = LineBuffer(capacity: usualLineBytes)

  /// Begins a line.
  ///
  /// - Parameters:
  ///   - event: the event's fixed name, such as `connection.closed`.
  ///   - message: one sentence for people.
  public init(_ level: LogLevel, _ event: StaticString, _ message: String, at time: WallTime, as format: LogFormat) {
    self.format = format
    switch format {
    case .json:
      line.append(#"{"timestamp":""#)
      line.append(time)
      line.append(#"","level":""#)
      line.append(unescaped: level.rawValue)
      line.append(#"","message":"#)
      line.appendQuoted(message)
      line.append(#","event.name":""#)
      line.append(event)
      line.append(UInt8(ascii: "\""))
    case .text:
      line.append(time)
      line.append(0x20)
      line.append(level.column)
      line.appendEscaped(message)
      line.append(" event.name=")
      line.append(event)
    }
  }

  /// Adds text, from whomever.
  public mutating func add(_ field: LogField, _ text: String) {
    begin(field)
    if field.holdsTarget { append(withoutQuery(text)) } else { append(text) }
  }

  /// Adds a whole number, held at the ends of `Int64`.
  @inlinable
  public mutating func add(_ field: LogField, _ number: some BinaryInteger) {
    add(field, decimal: Int64(clamping: number))
  }

  @usableFromInline
  mutating func add(_ field: LogField, decimal number: Int64) {
    begin(field)
    line.appendDecimal(number)
  }

  /// Adds seconds with up to three decimals, as a `Double` would be printed.
  public mutating func add(_ field: LogField, _ duration: Duration) {
    begin(field)
    line.append(duration)
  }

  /// Adds an address, as its description has it.
  public mutating func add(_ field: LogField, _ address: IPAddress) {
    begin(field)
    appendQuotationMark()
    line.append(address)
    appendQuotationMark()
  }

  /// Adds an address with its port, as their description has them.
  public mutating func add(_ field: LogField, _ peer: PeerAddress) {
    begin(field)
    appendQuotationMark()
    line.append(peer)
    appendQuotationMark()
  }

  /// Adds a connection's name, as its description has it.
  public mutating func add(_ field: LogField, _ id: ConnectionID) {
    begin(field)
    appendQuotationMark()
    line.appendHexadecimal(id.rawValue)
    appendQuotationMark()
  }

  /// Adds 128 bits, such as a trace's name, as 32 hexadecimal digits.
  public mutating func add(_ field: LogField, high: UInt64, low: UInt64) {
    begin(field)
    appendQuotationMark()
    line.appendHexadecimal(high)
    line.appendHexadecimal(low)
    appendQuotationMark()
  }

  /// Ends the line, and gives it.
  public consuming func bytes() -> [UInt8] {
    end { line in unsafe line.withUnsafeBufferPointer { unsafe Array($0) } }
  }

  /// Ends the line, and calls `body` with it: UTF-8 with its line end.
  consuming func end<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    if format == .json { line.append(UInt8(ascii: "}")) }
    line.append(UInt8(ascii: "\n"))
    return line.withBytes(body)
  }

  /// The longest text of a field or message in bytes; a longer one is cut.
  public static let maxTextBytes = 1_024

  @inline(__always)
  private mutating func begin(_ field: LogField) {
    switch format {
    case .json: line.appendMember(field.name)
    case .text:
      line.append(0x20)
      line.append(field.name)
      line.append(UInt8(ascii: "="))
    }
  }

  @inline(__always)
  private mutating func append(_ text: String) {
    if format == .json || needsQuotes(text) { line.appendQuoted(text) } else { line.appendEscaped(text) }
  }

  /// JSON has strings for what is plain in a line of text.
  private mutating func appendQuotationMark() {
    if format == .json { line.append(UInt8(ascii: "\"")) }
  }
}

/// A second lock on the door: a query never reaches a log, even if a caller passes a whole target as the path. Bytes are looked at,
/// since a mark after `?` would make another character of it.
private func withoutQuery(_ text: String) -> String {
  let bytes = text.utf8.span
  for index in bytes.indices where bytes[index] == UInt8(ascii: "?") || bytes[index] == UInt8(ascii: "#") {
    return String(text[..<text.utf8.index(text.startIndex, offsetBy: index)])
  }
  return text
}

/// Whether a value could be taken for more than one, or for none.
private func needsQuotes(_ text: String) -> Bool {
  text.isEmpty
    || text.utf8.contains { $0 == 0x20 || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
}

/// Room for the longer line of a WebSocket, so that it is not copied as it grows.
private let usualLineBytes = 768
