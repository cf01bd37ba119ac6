import EdgeHTTP
import EdgeWebSocket

/// What a client's bytes say: requests first, and after an upgrade messages.
struct ClientStream: ~Copyable {
  /// What the bytes given to `receive` came to.
  enum Step {
    /// All bytes were taken, and nothing is whole.
    case needMore
    /// A request is whole; `consumed` bytes belong to it.
    case request(RequestHead, body: [UInt8], consumed: Int)
    /// A request's head is whole, and its body waits for 100.
    case expectsContinue(consumed: Int)
    /// A request's body is longer than `maxBodyBytes`.
    case bodyTooLong
    /// The bytes are no request.
    case noRequest(HTTPParseError)
    /// All bytes were taken. With an error, the connection ends after the events before it.
    case webSocket([WebSocketEvent], FrameError?)
  }

  private var state = State.head(RequestHeadParser())

  /// Takes the next bytes.
  mutating func receive(_ bytes: Span<UInt8>) -> Step {
    state.receive(bytes)
  }

  /// From the next byte on the client speaks WebSocket.
  mutating func becomeWebSocket(maxMessageBytes: Int) {
    state = .webSocket(MessageReader(sender: .client, maxMessageBytes: maxMessageBytes))
  }

  /// The longest body: the login's few names fit many times.
  static let maxBodyBytes = 16 * 1024
}

private enum State: ~Copyable {
  case head(RequestHeadParser)
  case body(RequestHead, BodyDecoder, [UInt8])
  case webSocket(MessageReader)
  case ended

  mutating func receive(_ bytes: Span<UInt8>) -> ClientStream.Step {
    switch consume self {
    case .head(var parser):
      do {
        switch try parser.receive(bytes) {
        case .needMore:
          self = .head(parser)
          return .needMore
        case .complete(let head, let consumed):
          self = .body(head, BodyDecoder(head.bodyFraming), [])
          return head.expectsContinue ? .expectsContinue(consumed: consumed) : receiveBody(bytes, from: consumed)
        }
      } catch {
        self = .ended
        return .noRequest(error)
      }
    case .body(let head, let decoder, let body):
      self = .body(head, decoder, body)
      return receiveBody(bytes, from: 0)
    case .webSocket(var reader):
      var events: [WebSocketEvent] = []
      do {
        try reader.receive(bytes) { events.append($0) }
        self = .webSocket(reader)
        return .webSocket(events, nil)
      } catch {
        self = .ended
        return .webSocket(events, error)
      }
    case .ended:
      self = .ended
      return .needMore
    }
  }

  private mutating func receiveBody(_ bytes: Span<UInt8>, from start: Int) -> ClientStream.Step {
    switch consume self {
    case .body(let head, var decoder, var body):
      var offset = start
      do {
        while true {
          switch try decoder.next(bytes, at: offset) {
          case .data(let range):
            guard body.count + range.count <= ClientStream.maxBodyBytes else {
              self = .ended
              return .bodyTooLong
            }
            for index in range { body.append(bytes[index]) }
            offset = range.upperBound
          case .end(let position):
            self = .head(RequestHeadParser())
            return .request(head, body: body, consumed: position)
          case .needMore:
            self = .body(head, decoder, body)
            return .needMore
          }
        }
      } catch {
        self = .ended
        return .noRequest(error)
      }
    case .head(let parser):
      self = .head(parser)
      return .needMore
    case .webSocket(let reader):
      self = .webSocket(reader)
      return .needMore
    case .ended:
      self = .ended
      return .needMore
    }
  }
}
