public import EdgeCore

/// How much a log record matters.
public enum LogLevel: String, Comparable, CaseIterable, Sendable {
  /// For finding faults; off in production.
  case debug
  /// What happens in the ordinary course.
  case info
  /// Something an operator should know.
  case warning = "warn"
  /// Something failed that the edge cannot mend.
  case error

  /// Orders by weight.
  public static func < (lhs: LogLevel, rhs: LogLevel) -> Bool {
    lhs.weight < rhs.weight
  }

  /// How much it matters, from 0 on.
  public var weight: Int {
    switch self {
    case .debug: 0
    case .info: 1
    case .warning: 2
    case .error: 3
    }
  }
}

/// One line of a log, before it is text.
///
/// Text from peers may be put into any field: it is cut at `maxTextBytes` and its control characters are escaped when the line
/// is rendered. Tokens, cookies and query strings must not be put in; `url.path` is cut at its query all the same.
public struct LogRecord: Sendable {
  /// When it happened.
  public var time: WallTime
  /// How much it matters.
  public var level: LogLevel
  /// The event's fixed name, such as `connection.closed`.
  public var event: String
  /// One sentence for people.
  public var message: String
  /// The fields in the order of the line.
  public private(set) var fields: [(name: LogField, value: LogValue)] = []

  /// Makes a record without fields.
  public init(_ level: LogLevel, _ event: String, _ message: String, at time: WallTime) {
    self.time = time
    self.level = level
    self.event = event
    self.message = message
    fields.reserveCapacity(usualFields)
  }

  /// A field's value; nil takes the field out of the line.
  public subscript(field: LogField) -> LogValue? {
    get { place(of: field).map { fields[$0].value } }
    set {
      switch (place(of: field), newValue) {
      case (let place?, let value?): fields[place].value = value
      case (let place?, nil): fields.remove(at: place)
      case (nil, let value?): fields.append((field, value))
      case (nil, nil): break
      }
    }
  }

  /// By index, so that no value is copied to be looked at.
  private func place(of field: LogField) -> Int? {
    fields.indices.first { fields[$0].name == field }
  }

  /// The longest text of a field or message in bytes; a longer one is cut.
  public static let maxTextBytes = 1_024
}

/// A field's value.
public enum LogValue: Equatable, Sendable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
  /// Text, from whomever.
  case text(String)
  /// A whole number.
  case integer(Int64)
  /// A fraction, such as seconds.
  case real(Double)
  /// Yes or no.
  case flag(Bool)
  /// An address, as its description has it.
  case address(IPAddress)
  /// An address with its port, as their description has them.
  case peer(PeerAddress)
  /// A connection, by sixteen hexadecimal digits.
  case connection(ConnectionID)
  /// A trace, by 32 hexadecimal digits.
  case trace(high: UInt64, low: UInt64)

  /// Makes text.
  public init(stringLiteral value: String) { self = .text(value) }

  /// Makes a whole number.
  public init(integerLiteral value: Int64) { self = .integer(value) }

  /// Makes seconds with three decimals of a time span.
  public static func seconds(_ duration: Duration) -> LogValue {
    .real(Double(duration.nanoseconds / 1_000_000) / 1_000)
  }
}

/// A field's name. Only names written in source code can be made, so none comes from a peer, and none needs an escape.
public struct LogField: Hashable, Sendable {
  /// The name as it stands in the program.
  let text: StaticString
  /// Tells names apart without a look at them: setting a field compares it with all that are set.
  private let fingerprint: UInt64

  /// Makes a field that has no constant below.
  public init(_ name: StaticString) {
    text = name
    // FNV-1a.
    fingerprint = name.withUTF8Buffer { name in
      unsafe name.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
  }

  /// The name in the line.
  public var name: String { text.description }

  /// Whether the names are equal.
  public static func == (lhs: LogField, rhs: LogField) -> Bool {
    lhs.fingerprint == rhs.fingerprint && lhs.name == rhs.name
  }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(fingerprint)
  }
}

/// Room for the fields of a WebSocket's lines.
private let usualFields = 24
