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
    get { fields.first { $0.name == field }?.value }
    set {
      let place = fields.firstIndex { $0.name == field }
      switch (place, newValue) {
      case (let place?, let value?): fields[place].value = value
      case (let place?, nil): fields.remove(at: place)
      case (nil, let value?): fields.append((field, value))
      case (nil, nil): break
      }
    }
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

  /// Makes text.
  public init(stringLiteral value: String) { self = .text(value) }

  /// Makes a whole number.
  public init(integerLiteral value: Int64) { self = .integer(value) }

  /// Makes seconds with three decimals of a time span.
  public static func seconds(_ duration: Duration) -> LogValue {
    .real(Double(duration.nanoseconds / 1_000_000) / 1_000)
  }
}

/// A field's name. Only names written in source code can be made, so none comes from a peer.
public struct LogField: Hashable, Sendable {
  /// The name in the line.
  public let name: String
  /// What stands before the value in a JSON line. Nothing in a name of ours needs an escape.
  let member: String

  /// Makes a field that has no constant below.
  public init(_ name: StaticString) {
    self.name = name.description
    member = #","\#(name)":"#
  }

  /// Whether the names are equal. Lengths first: setting a field looks at all that are set, and most differ in it.
  public static func == (lhs: LogField, rhs: LogField) -> Bool {
    lhs.name.utf8.count == rhs.name.utf8.count && lhs.name == rhs.name
  }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
  }
}

/// Room for the fields of a WebSocket's lines.
private let usualFields = 24
