import EdgeCore
import EdgeHTTP

/// What a worker answers over HTTP/1: interim answers, the final one and its body, and the answer that a client gets of it.
///
/// The first byte of the input tells what was asked.
func fuzzHTTP1Response(_ input: [UInt8]) throws(BrokenClaim) {
  guard let choice = input.first else { return }
  let request = requests[Int(choice) % requests.count]
  let bytes = Array(input.dropFirst())
  let answer = Answer(to: request, hearing: [bytes])
  try claim("cuts change nothing", Answer(to: request, hearing: pieces(of: bytes)), equals: answer)
  for head in answer.heads { try claimSameAgain(head) }
  if let head = answer.heads.last, let framing = answer.framing { try claimSameBody(head, framing, to: request) }
}

/// One answer, by the parsers that the edge uses.
private struct Answer: Equatable {
  private(set) var heads: [ResponseHead] = []
  private(set) var framing: BodyFraming?
  private(set) var body: [UInt8] = []
  private(set) var bytesBehind = 0
  private(set) var error: HTTPParseError?

  init(to request: RequestHead, hearing pieces: [[UInt8]]) {
    var parser = ResponseHeadParser(limits: HeadLimits(maxLineBytes: 400, maxFieldCount: 12, maxHeadBytes: 1000))
    var decoder = BodyDecoder(.none)
    do throws(HTTPParseError) {
      for piece in pieces {
        var offset = 0
        while offset < piece.count {
          if framing == nil {
            offset += try readHead(piece.span.extracting(offset..<piece.count), to: request, &parser, &decoder)
          } else {
            offset = try readBody(piece, at: offset, &decoder)
          }
        }
      }
      if framing != nil { try decoder.receivedEnd() }
    } catch {
      self.error = error
    }
  }

  private mutating func readHead(
    _ bytes: Span<UInt8>, to request: RequestHead, _ parser: inout ResponseHeadParser, _ decoder: inout BodyDecoder
  ) throws(HTTPParseError) -> Int {
    guard case .complete(let head, let consumed) = try parser.receive(bytes) else { return bytes.count }
    heads.append(head)
    if !head.isInterim {
      let framing = try head.bodyFraming(requestMethod: request.method)
      decoder = BodyDecoder(framing)
      self.framing = framing
    }
    return consumed
  }

  private mutating func readBody(_ piece: [UInt8], at offset: Int, _ decoder: inout BodyDecoder) throws(HTTPParseError) -> Int {
    switch try decoder.next(piece.span, at: offset) {
    case .data(let range):
      body += piece[range]
      return range.upperBound
    case .end(let position):
      bytesBehind += piece.count - position
      return piece.count
    case .needMore:
      return piece.count
    }
  }
}

private func claimSameAgain(_ head: ResponseHead) throws(BrokenClaim) {
  var bytes: [UInt8] = []
  head.serialize(into: &bytes)
  try claim("what is accepted means the same once it is written", parsed(bytes), equals: head)
}

/// A client and the edge agree where an answer ends, or the next one would be taken for its body.
private func claimSameBody(_ head: ResponseHead, _ framing: BodyFraming, to request: RequestHead) throws(BrokenClaim) {
  let response = ClientResponse(head, framing: framing, to: request, requestID: "r-1")
  var bytes: [UInt8] = []
  response.serialize(into: &bytes)
  guard let received = parsed(bytes) else {
    throw BrokenClaim(claim: "a client can read its answer; seen: \(String(decoding: bytes, as: UTF8.self))")
  }
  try claim("the client sees the worker's status", received.status, equals: head.status)
  let clientFraming = try? received.bodyFraming(requestMethod: request.method)
  try claim("client and edge agree where the body ends", clientFraming, equals: response.bodyFraming)
  if response.bodyFraming == .untilClose { try claim("a connection that ends the body is not kept", !response.keepsAlive) }
  try claim("the client is told whether the connection goes on", received.allowsKeepAlive || !response.keepsAlive)
  for field in received.fields where ["keep-alive", "proxy", "te", "trailer"].contains(field.name.lowercased()) {
    throw BrokenClaim(claim: "nothing about the worker's connection passes; seen: \(field)")
  }
}

/// Reads exactly one head.
private func parsed(_ bytes: [UInt8]) -> ResponseHead? {
  var parser = ResponseHeadParser()
  guard case .complete(let head, bytes.count) = try? parser.receive(bytes.span) else { return nil }
  return head
}

private let requests = [
  request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), request("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
  request("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), request("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"),
].compactMap(\.self)

private func request(_ text: String) -> RequestHead? {
  var parser = RequestHeadParser()
  guard case .complete(let head, _) = try? parser.receive(Array(text.utf8).span) else { return nil }
  return head
}
