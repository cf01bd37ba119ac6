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
  guard let again = parsedRequest(bytes) else {
    throw BrokenClaim(claim: "what is accepted is accepted once it is written; seen: \(head)")
  }
  try claim("what is accepted means the same once it is written", again.fields, equals: head.fields)
  try claim("the target is the same once it is written", again.target, equals: head.target)
  try claim("the body ends at the same place once it is written", again.bodyFraming, equals: head.bodyFraming)
  // A target in absolute form is written without its host.
  guard head.fields.contains("Host") else { return }
  try claim("what is accepted means the same once it is written", again, equals: head)
}

/// Limits that short inputs reach.
private let tightLimits = HeadLimits(maxLineBytes: 400, maxFieldCount: 12, maxHeadBytes: 1000)
