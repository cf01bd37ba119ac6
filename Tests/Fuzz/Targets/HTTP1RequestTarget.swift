import EdgeCore
import EdgeHTTP

/// What a client says on a connection of HTTP/1: heads and bodies, one after the other, and the request that a worker gets of each.
func fuzzHTTP1Request(_ input: [UInt8]) throws(BrokenClaim) {
  let conversation = Conversation(hearing: [input])
  try claim("cuts change nothing", Conversation(hearing: pieces(of: input)), equals: conversation)
  for message in conversation.messages {
    try claimSameAgain(message.head)
    try claimOnePath(message.head.target)
    try claimNothingSmuggled(from: message.head)
  }
}

/// The requests that a client's bytes hold, by the parsers that the edge uses.
private struct Conversation: Equatable {
  struct Message: Equatable {
    let head: RequestHead
    var body: [UInt8] = []
    var isWhole = false
  }

  private(set) var messages: [Message] = []
  private(set) var error: HTTPParseError?

  init(hearing pieces: [[UInt8]]) {
    var parser = RequestHeadParser(limits: tightLimits)
    var decoder = BodyDecoder(.none)
    do throws(HTTPParseError) {
      for piece in pieces {
        var offset = 0
        while offset < piece.count {
          if decoder.isComplete {
            offset += try readHead(piece.span.extracting(offset..<piece.count), &parser, &decoder)
          } else {
            offset = try readBody(piece, at: offset, &decoder)
          }
        }
      }
    } catch {
      self.error = error
    }
  }

  private mutating func readHead(
    _ bytes: Span<UInt8>, _ parser: inout RequestHeadParser, _ decoder: inout BodyDecoder
  ) throws(HTTPParseError) -> Int {
    guard case .complete(let head, let consumed) = try parser.receive(bytes) else { return bytes.count }
    decoder = BodyDecoder(head.bodyFraming)
    messages.append(Message(head: head, isWhole: decoder.isComplete))
    return consumed
  }

  private mutating func readBody(_ piece: [UInt8], at offset: Int, _ decoder: inout BodyDecoder) throws(HTTPParseError) -> Int {
    switch try decoder.next(piece.span, at: offset) {
    case .data(let range):
      messages[messages.count - 1].body += piece[range]
      messages[messages.count - 1].isWhole = decoder.isComplete
      return range.upperBound
    case .end(let position):
      messages[messages.count - 1].isWhole = true
      return position
    case .needMore:
      messages[messages.count - 1].isWhole = decoder.isComplete
      return piece.count
    }
  }
}

private func claimSameAgain(_ head: RequestHead) throws(BrokenClaim) {
  var bytes: [UInt8] = []
  head.serialize(into: &bytes)
  guard let again = parsed(bytes) else {
    throw BrokenClaim(claim: "what is accepted is accepted once it is written; seen: \(head)")
  }
  try claim("what is accepted means the same once it is written", again.fields, equals: head.fields)
  try claim("the target is the same once it is written", again.target, equals: head.target)
  try claim("the body ends at the same place once it is written", again.bodyFraming, equals: head.bodyFraming)
  // A target in absolute form is written without its host.
  guard head.fields.contains("Host") else { return }
  try claim("what is accepted means the same once it is written", again, equals: head)
}

/// A path has one meaning, however often and by whomever it is normalised (RFC 3986 §6).
private func claimOnePath(_ target: RequestTarget) throws(BrokenClaim) {
  guard target != .asterisk else { return }
  try claim("a normal form is its own normal form", try? RequestTarget(parsing: target.description), equals: target)
  guard let decoded = PercentEncoding.decode(Array(target.path.utf8)) else {
    throw BrokenClaim(claim: "a path can be decoded; seen: \(target.path)")
  }
  let segments = decoded.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  for segment in segments.dropFirst().dropLast() { try claim("no empty segment is left", !segment.isEmpty) }
  for segment in segments {
    try claim("no dot segment is left, escaped or not", !segment.elementsEqual(".".utf8) && !segment.elementsEqual("..".utf8))
    let isPlain = segment.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: ";") }
    try claim("no control, backslash or parameter is left, escaped or not", isPlain)
  }
}

private func claimNothingSmuggled(from head: RequestHead) throws(BrokenClaim) {
  let request = WorkerRequest(head, context: context)
  for (name, values) in edgesWord {
    let said = request.fields.filter { isSpelling($0.name, of: name) }.map(\.value)
    try claim("only the edge speaks for itself", said, equals: values)
  }
  for name in connectionNames {
    let isGone = !request.fields.contains { isSpelling($0.name, of: name) }
    try claim("nothing about the client's connection passes", isGone, name)
  }
  // Only HTTP/1.0 has requests without a host; the edge's parser wants one.
  guard head.authority != nil else { return }
  var bytes: [UInt8] = []
  request.serialize(into: &bytes)
  guard let received = parsed(bytes) else {
    throw BrokenClaim(claim: "a worker can read its request; seen: \(String(decoding: bytes, as: UTF8.self))")
  }
  try claim("the worker reads the fields that were meant", received.fields, equals: request.fields)
  try claim("the worker is asked for what the client asked", received.target, equals: head.target)
  try claim("the worker is asked in the client's way", received.method, equals: head.method)
  try claim("worker and edge agree on the host", received.authority, equals: head.authority)
  try claim("worker and edge agree where the body ends", received.bodyFraming, equals: head.bodyFraming)
}

/// Reads exactly one head.
private func parsed(_ bytes: [UInt8]) -> RequestHead? {
  var parser = RequestHeadParser()
  guard case .complete(let head, bytes.count) = try? parser.receive(bytes.span) else { return nil }
  return head
}

/// Whether a worker behind a gateway interface could take one name for the other: both become `HTTP_X_SLUICE_USER`, say.
private func isSpelling(_ name: String, of other: String) -> Bool {
  let sign = { (byte: UInt8) in ASCII.isLetter(byte) || ASCII.isDigit(byte) ? ASCII.lowercased(byte) : UInt8(ascii: "_") }
  return name.utf8.elementsEqual(other.utf8) { sign($0) == sign($1) }
}

/// Limits that short inputs reach.
private let tightLimits = HeadLimits(maxLineBytes: 400, maxFieldCount: 12, maxHeadBytes: 1000)

private let context = ForwardingContext(
  clientChain: [IPAddress(v4: 0xCB00_7109)], scheme: .https, port: 443, requestID: "r-1",
  traceParent: TraceParent(random: (7, 7, 7)),
  identityFields: [HTTPField(name: "X-Sluice-User", value: "alice")], identityNames: ["X-Sluice-User", "X-Sluice-Role"])

private let edgesWord: [(name: String, values: [String])] = [
  ("X-Sluice-User", ["alice"]), ("X-Sluice-Role", []), ("X-Forwarded-For", ["203.0.113.9"]), ("X-Real-IP", ["203.0.113.9"]),
  ("X-Forwarded-Proto", ["https"]), ("X-Request-ID", ["r-1"]), ("X-Client-Cert-Subject", []), ("X-Original-URL", []),
  ("Sec-WebSocket-Key", []),
]

private let connectionNames = [
  "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "HTTP2-Settings", "Proxy", "Proxy-Authorization",
]
