public import EdgeCore

/// Why bytes between two processes of the embedded broker cannot be read. The connection is dropped.
public enum BrokerCodecError: Error, Hashable, Sendable {
  /// A frame announces more than `BrokerCodec.maxFrameBytes`.
  case frameTooLong(bytes: Int)
  /// A frame is no JSON.
  case notJSON(JSONError)
  /// A frame is JSON, but nothing that the peer may say.
  case unknownMessage
}

/// How the processes of the embedded broker talk: frames of a length in four bytes, high byte first, and that many bytes of JSON.
public enum BrokerCodec {
  /// The longest frame: a described room with everything that is kept of it.
  public static let maxFrameBytes = 16 * 1024 * 1024

  /// The frame of a command.
  public static func encoded(_ command: BrokerCommand) -> [UInt8] {
    frame(command.json)
  }

  /// The frame of an event.
  public static func encoded(_ event: BrokerEvent) -> [UInt8] {
    frame(event.json)
  }

  /// Reads a command from the JSON of a frame.
  public static func command(from payload: [UInt8]) throws(BrokerCodecError) -> BrokerCommand {
    guard let command = BrokerCommand.parse(try parsed(payload)) else { throw .unknownMessage }
    return command
  }

  /// Reads an event from the JSON of a frame.
  public static func event(from payload: [UInt8]) throws(BrokerCodecError) -> BrokerEvent {
    guard let event = BrokerEvent.parse(try parsed(payload)) else { throw .unknownMessage }
    return event
  }
}

/// Cuts a stream of bytes into frames, however the bytes arrive.
public struct BrokerFrameReader: Sendable {
  private var buffer: [UInt8] = []
  private var start = 0

  /// Makes a reader at the start of a stream.
  public init() {}

  /// Takes the next bytes of the stream.
  public mutating func receive(_ bytes: Span<UInt8>) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    for index in bytes.indices { buffer.append(bytes[index]) }
  }

  /// The JSON of the next whole frame, or nil when more bytes are needed.
  public mutating func next() throws(BrokerCodecError) -> [UInt8]? {
    guard buffer.count - start >= lengthBytes else { return nil }
    let length = buffer[start..<start + lengthBytes].reduce(0) { $0 << 8 | Int($1) }
    guard length <= BrokerCodec.maxFrameBytes else { throw .frameTooLong(bytes: length) }
    guard buffer.count - start - lengthBytes >= length else { return nil }
    let payload = Array(buffer[start + lengthBytes..<start + lengthBytes + length])
    start += lengthBytes + length
    return payload
  }
}

private func frame(_ value: JSON) -> [UInt8] {
  let payload = value.encoded()
  let length = UInt32(truncatingIfNeeded: payload.count)
  return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + payload
}

private func parsed(_ payload: [UInt8]) throws(BrokerCodecError) -> JSON {
  do {
    return try JSON(parsing: payload)
  } catch {
    throw .notJSON(error)
  }
}

private let lengthBytes = 4
