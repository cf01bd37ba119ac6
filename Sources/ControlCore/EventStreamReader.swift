internal import EdgeCore

/// One server-sent event.
public struct StreamEvent: Equatable, Sendable {
  /// Its kind; `message` where the server names none.
  public var name: String
  /// Its serial, as the server wrote it.
  public var id: String?
  /// What it says.
  public var data: String
}

/// Reads a stream of server-sent events (WHATWG HTML §9.2.6), however its bytes are cut.
public struct EventStreamReader: Sendable {
  private var line: [UInt8] = []
  private var sawReturn = false
  private var name = ""
  private var id: String?
  private var data: [String] = []
  private var bytesHeld = 0

  /// Makes a reader at the beginning of a stream.
  public init() {}

  /// Takes bytes.
  ///
  /// - Returns: the events that they complete.
  /// - Throws: `ControlFailure.failed` where an event holds more than `maxEventBytes`.
  public mutating func read(_ bytes: some Sequence<UInt8>) throws(ControlFailure) -> [StreamEvent] {
    var events: [StreamEvent] = []
    for byte in bytes {
      let followsReturn = sawReturn
      sawReturn = byte == carriageReturn
      switch byte {
      case lineFeed where followsReturn: break
      case lineFeed, carriageReturn: if let event = finishLine() { events.append(event) }
      default:
        bytesHeld += 1
        guard bytesHeld <= Self.maxEventBytes else {
          throw .failed("The edge sent an event of more than \(Self.maxEventBytes) bytes.")
        }
        line.append(byte)
      }
    }
    return events
  }

  private mutating func finishLine() -> StreamEvent? {
    defer { line.removeAll(keepingCapacity: true) }
    guard !line.isEmpty else { return finishEvent() }
    let field = line.prefix { $0 != UInt8(ascii: ":") }
    var value = line.dropFirst(field.count + 1)
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    let text = String(decoding: value, as: UTF8.self)
    switch String(decoding: field, as: UTF8.self) {
    case "event": name = text
    case "data": data.append(text)
    case "id": id = text
    default: break
    }
    // A comment is done with its line; what else there is stays until the event is whole.
    if field.isEmpty, name.isEmpty, data.isEmpty { bytesHeld = 0 }
    return nil
  }

  private mutating func finishEvent() -> StreamEvent? {
    defer { (name, data, bytesHeld) = ("", [], 0) }
    guard !data.isEmpty else { return nil }
    return StreamEvent(name: name.isEmpty ? "message" : name, id: id, data: data.joined(separator: "\n"))
  }

  /// The most bytes that an event and the comments in it may have.
  public static let maxEventBytes = 65_536
}

private let lineFeed: UInt8 = 0x0a
private let carriageReturn: UInt8 = 0x0d
