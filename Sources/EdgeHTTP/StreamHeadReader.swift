internal import EdgeCore

/// Reads the fields of a request of HTTP/2 into the head that the same request would have had in HTTP/1.1, strictly
/// (RFC 9113 §8.2, §8.3).
///
/// A WebSocket's request (RFC 8441 §4) becomes one with the method `CONNECT`, which no other request has. The first mistake counts:
/// `receive` keeps nothing behind it, and `finish` tells it.
public struct StreamHeadReader: Sendable {
  private let limits: HeadLimits
  private var pseudo = PseudoFields()
  private var fields: HTTPFields
  private var cookies: [UInt8] = []
  private var bytes = 0
  private var hasFields = false
  private var mistake: HTTPParseError?

  /// Makes a reader for one head.
  public init(limits: HeadLimits = HeadLimits()) {
    self.limits = limits
    fields = HTTPFields(minimumCapacity: usualFieldCount, lineBytes: usualLineBytes)
  }

  /// Whether the fields so far are more than a head may have.
  public var isTooLarge: Bool {
    mistake == .headTooLarge || mistake == .tooManyFields || mistake == .fieldLineTooLong || mistake == .requestLineTooLong
  }

  /// Takes one field, in its turn.
  public mutating func receive(name: Span<UInt8>, value: Span<UInt8>) {
    guard mistake == nil else { return }
    do {
      try take(name, value)
    } catch {
      mistake = error
    }
  }

  /// Ends the head.
  ///
  /// - Parameter isEnded: whether the client's side of the stream ends with it: there is no body.
  /// - Throws: what is wrong with it first.
  public consuming func finish(isEnded: Bool) throws(HTTPParseError) -> RequestHead {
    if let mistake { throw mistake }
    if !cookies.isEmpty {
      guard cookies.count + "cookie: ".utf8.count <= limits.maxLineBytes else { throw .fieldLineTooLong }
      let value = cookies
      fields.add(checkedName: "cookie".utf8.span, checkedValue: value.span)
    }
    let start = try StreamStart(pseudo)
    let authority = try start.authority(agreeingWith: fields.sole("host"))
    return RequestHead(
      method: start.method, target: start.target, version: .http2, authority: authority, fields: fields,
      bodyFraming: try BodyFraming(announcedBy: fields, isEnded: isEnded, isTunnel: start.isTunnel))
  }

  /// Ends the fields behind a body, which are checked and dropped, as HTTP/1.1's are.
  ///
  /// - Throws: what is wrong with them first.
  public consuming func finishTrailers() throws(HTTPParseError) {
    if let mistake { throw mistake }
    guard pseudo.isEmpty else { throw .pseudoField }
  }

  private mutating func take(_ name: Span<UInt8>, _ value: Span<UInt8>) throws(HTTPParseError) {
    bytes += name.count + value.count + fieldOverheadBytes
    guard bytes <= limits.maxHeadBytes else { throw .headTooLarge }
    guard !name.isEmpty, name[0] == UInt8(ascii: ":") else { return try takeField(name, value) }
    guard !hasFields else { throw .pseudoField }
    guard value.count <= limits.maxLineBytes else { throw .requestLineTooLong }
    try checkValue(value)
    try pseudo.set(name, to: value)
  }

  private mutating func takeField(_ name: Span<UInt8>, _ value: Span<UInt8>) throws(HTTPParseError) {
    hasFields = true
    try checkName(name)
    guard name.count + value.count + 2 <= limits.maxLineBytes else { throw .fieldLineTooLong }
    try checkValue(value)
    let text = String(utf8: name)
    if connectionFields.contains(text) { throw .connectionField }
    if text == "te", !ASCII.equalIgnoringCase(value, "trailers".utf8.span) { throw .connectionField }
    // A client may send its cookies one by one, for its table's sake; a worker gets them in one field (RFC 9113 §8.2.3). A crumb
    // without text is none: a field that ended in `; ` would be read as another one.
    if text == "cookie" {
      if !cookies.isEmpty, !value.isEmpty { cookies += Array("; ".utf8) }
      return cookies.append(copying: value)
    }
    guard fields.count < limits.maxFieldCount else { throw .tooManyFields }
    fields.add(checkedName: name, checkedValue: value)
  }
}

/// Names are tokens in lower case (RFC 9113 §8.2.1).
private func checkName(_ name: Span<UInt8>) throws(HTTPParseError) {
  guard !name.isEmpty else { throw .fieldName }
  for index in name.indices {
    guard ASCII.isTokenCharacter(name[index]) else { throw .fieldName }
    guard ASCII.lowercased(name[index]) == name[index] else { throw .fieldNameCase }
  }
}

/// Values have no controls, and no white space at their ends (RFC 9113 §8.2.1).
private func checkValue(_ value: Span<UInt8>) throws(HTTPParseError) {
  guard !value.isEmpty else { return }
  for index in value.indices where !isText(value[index]) { throw .controlByte }
  guard !ASCII.isBlank(value[0]), !ASCII.isBlank(value[value.count - 1]) else { throw .fieldValueSpace }
}

extension BodyFraming {
  /// How the body of a stream ends: with the stream, after exactly as many bytes as were announced if any were.
  fileprivate init(announcedBy fields: HTTPFields, isEnded: Bool, isTunnel: Bool) throws(HTTPParseError) {
    let announced = try BodyFraming(announcedBy: fields, version: .http2)
    switch (announced, isEnded) {
    // What follows the head of a tunnel is no body; a tunnel that has ended already is none.
    case (.none, false): self = isTunnel ? .none : .untilClose
    case (.length(0), false) where isTunnel: self = .none
    case (.none, true):
      guard !isTunnel else { throw .truncated }
      self = .none
    case (.length(0), true): self = .length(0)
    case (.length, true): throw .contentLengthMismatch
    case (_, false): self = announced
    case (_, true): throw .contentLengthMismatch
    }
  }
}

/// What SETTINGS_MAX_HEADER_LIST_SIZE counts for each field besides its name and value (RFC 9113 §6.5.2).
private let fieldOverheadBytes = 32
/// As many fields as a browser sends; more make the storage grow.
private let usualFieldCount = 16
private let usualLineBytes = 512
/// What is about a connection of HTTP/1.1 has no place in a stream (RFC 9113 §8.2.2).
private let connectionFields: Set<String> = ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]
