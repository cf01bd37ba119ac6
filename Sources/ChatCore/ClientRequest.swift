internal import EdgeCore

/// What a client asks, read from its envelope `{"type":…,"data":{…}}`.
enum ClientRequest: Hashable {
  /// Come into a room; with `position`, to get what was missed since then.
  case join(room: RoomName, position: RoomPosition?)
  /// Leave a room.
  case leave(room: RoomName)
  /// Say something. Without an identifier a message cannot be sent again safely.
  case message(room: RoomName, text: MessageText, id: MessageID?)
  /// Begin to type, go on, or stop.
  case typing(room: RoomName, isTyping: Bool)

  /// Reads the whole payload of a text message. Members that no request has are ignored, a claimed sender among them.
  ///
  /// - Throws: `EnvelopeError` naming the field that is wrong.
  init(payload: Span<UInt8>) throws(EnvelopeError) {
    let envelope: JSON
    do {
      envelope = try JSON(parsing: payload, maxDepth: maxEnvelopeDepth)
    } catch {
      throw EnvelopeError(.badJSON, message: error.description)
    }
    guard let type = envelope["type"]?.stringValue else {
      throw EnvelopeError(.badEnvelope, field: "type", message: "must be a string")
    }
    guard let data = envelope["data"], data.members != nil else {
      throw EnvelopeError(.badEnvelope, field: "data", message: "must be an object")
    }
    switch type {
    case "join": self = .join(room: try data.readRoom(), position: try data.readPosition())
    case "leave": self = .leave(room: try data.readRoom())
    case "message": self = .message(room: try data.readRoom(), text: try data.readText(), id: try data.readID())
    case "typing": self = .typing(room: try data.readRoom(), isTyping: try data.readIsTyping())
    default: throw EnvelopeError(.unknownType, field: "type", message: "must be join, leave, message or typing")
    }
  }
}

/// Why a request was not done, as the client is told.
struct EnvelopeError: Error, Hashable {
  /// The machine word, `data.code`.
  enum Code: String, CaseIterable {
    /// The payload is not one strict JSON text.
    case badJSON = "bad_json"
    /// The payload is JSON, but not an envelope.
    case badEnvelope = "bad_envelope"
    /// The envelope's type is none that a client sends.
    case unknownType = "unknown_type"
    /// A field is missing, of the wrong type, or too long.
    case invalidField = "invalid_field"
    /// The payload came in a binary message.
    case notText = "not_text"
    /// The connection is not in that room.
    case notJoined = "not_joined"
    /// The connection is in as many rooms as it may be.
    case tooManyRooms = "too_many_rooms"
    /// The service has as many rooms as it may have.
    case roomsFull = "rooms_full"
    /// Too many requests wait for their answers.
    case busy
    /// The broker did not answer in time. Sending the message again with the same identifier is safe.
    case unavailable
  }

  var code: Code
  /// The member that is wrong, as a path such as `data.text`.
  var field: String?
  /// A sentence for a developer.
  var message: String
  /// What the request spoke of, as far as it could be read.
  var room: RoomName?
  var id: MessageID?

  init(_ code: Code, field: String? = nil, message: String, room: RoomName? = nil, id: MessageID? = nil) {
    self.code = code
    self.field = field
    self.message = message
    self.room = room
    self.id = id
  }

  /// Whether the client's bytes are to blame; such errors are counted as malformed.
  var isMalformed: Bool {
    switch code {
    case .badJSON, .badEnvelope, .unknownType, .invalidField, .notText: true
    case .notJoined, .tooManyRooms, .roomsFull, .busy, .unavailable: false
    }
  }
}

extension JSON {
  fileprivate func readRoom() throws(EnvelopeError) -> RoomName {
    guard let room = room("room") else { throw invalid("room", "must be 1 to 64 of A-Z a-z 0-9 - _ .") }
    return room
  }

  fileprivate func readText() throws(EnvelopeError) -> MessageText {
    guard let text = text("text") else {
      throw invalid("text", "must be 1 to \(MessageText.maxBytes) bytes, not only white space, without control characters")
    }
    return text
  }

  fileprivate func readID() throws(EnvelopeError) -> MessageID? {
    guard let value = self["id"], !value.isNull else { return nil }
    guard let id = messageID("id") else { throw invalid("id", "must be 1 to 64 visible ASCII characters") }
    return id
  }

  fileprivate func readPosition() throws(EnvelopeError) -> RoomPosition? {
    guard let since = self["since"], !since.isNull else { return nil }
    guard let sequence = since.integerValue, sequence >= 0 else { throw invalid("since", "must be an integer from 0") }
    guard let epoch = self["epoch"]?.stringValue, epoch.utf8.count <= maxEpochBytes else {
      throw invalid("epoch", "must be the epoch that came with the messages")
    }
    return RoomPosition(epoch: epoch, sequence: sequence)
  }

  fileprivate func readIsTyping() throws(EnvelopeError) -> Bool {
    guard let active = self["active"] else { return true }
    guard let isTyping = active.boolValue else { throw invalid("active", "must be true or false") }
    return isTyping
  }

  private func invalid(_ field: String, _ expectation: String) -> EnvelopeError {
    EnvelopeError(.invalidField, field: "data.\(field)", message: expectation, room: room("room"), id: messageID("id"))
  }
}

private let maxEnvelopeDepth = 8
private let maxEpochBytes = 64
