import EdgeHTTP
import Testing

/// Claims about inputs that nobody thought of: a fixed seed, so that a failure comes again.
@Suite struct RandomInputTests {
  @Test func `no input traps, and every split of it means the same`() {
    var random = SeededRandom(state: 2)
    for round in 0..<20_000 {
      let input = round % 4 == 0 ? randomBytes(&random) : mutated(seeds[round % seeds.count], &random)
      let whole = outcome(of: [input])
      #expect(outcome(of: random.pieces(of: input, longest: 7)) == whole, "round \(round)")
    }
  }

  @Test func `whatever is accepted is accepted again, with the same meaning, once it is written`() {
    var random = SeededRandom(state: 3)
    var accepted = 0
    for round in 0..<5000 {
      let input = mutated(seeds[round % seeds.count], &random)
      for head in outcome(of: [input]).requests {
        accepted += 1
        var bytes: [UInt8] = []
        head.serialize(into: &bytes)
        #expect(outcome(of: [bytes]).requests.first == head, "round \(round)")
        #expect(bytes.filter { $0 == 0x0a }.count == head.fields.count + 2)
      }
    }
    #expect(accepted > 1000)
  }

  @Test func `no target trips up, and a normal form is its own normal form`() {
    var random = SeededRandom(state: 4)
    let alphabet = Array("/.%2ef5Cc0wW;?#&=+\\ ~é".utf8)
    for _ in 0..<50_000 {
      let bytes =
        [UInt8(ascii: "/")] + (0..<Int.random(in: 0...9, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      guard let target = try? RequestTarget(parsing: bytes.span) else { continue }
      #expect((try? RequestTarget(parsing: target.description)) == target)
      #expect(!target.path.contains("//") && !target.path.contains("\\"))
      #expect(!target.path.split(separator: "/").contains { $0 == "." || $0 == ".." })
    }
  }
}

private struct Outcome: Equatable {
  var requests: [RequestHead] = []
  var responses: [ResponseHead] = []
  var requestError: HTTPParseError?
  var responseError: HTTPParseError?
  var body: [UInt8] = []
  var bodyError: HTTPParseError?
}

/// What each parser makes of the same bytes; the body decoder reads what follows the first head.
private func outcome(of pieces: [[UInt8]]) -> Outcome {
  var outcome = Outcome()
  var requestParser = RequestHeadParser(limits: HeadLimits(maxLineBytes: 200, maxFieldCount: 8, maxHeadBytes: 400))
  var responseParser = ResponseHeadParser(limits: HeadLimits(maxLineBytes: 200, maxFieldCount: 8, maxHeadBytes: 400))
  outcome.requestError = firstError(in: pieces) { rest throws(HTTPParseError) in
    guard case .complete(let head, let consumed) = try requestParser.receive(rest.span) else { return rest.count }
    outcome.requests.append(head)
    return consumed
  }
  outcome.responseError = firstError(in: pieces) { rest throws(HTTPParseError) in
    guard case .complete(let head, let consumed) = try responseParser.receive(rest.span) else { return rest.count }
    outcome.responses.append(head)
    return consumed
  }
  var decoder = BodyDecoder(.chunked)
  outcome.bodyError = firstError(in: pieces) { rest throws(HTTPParseError) in
    switch try decoder.next(rest.span, at: 0) {
    case .data(let range):
      outcome.body += rest[range]
      return range.upperBound
    case .end, .needMore: return rest.count
    }
  }
  return outcome
}

private func randomBytes(_ random: inout SeededRandom) -> [UInt8] {
  (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
}

private func mutated(_ seed: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
  var bytes = seed
  for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
    let index = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
    case 1: bytes.remove(at: index)
    case 2: bytes.insert(interesting.randomElement(using: &random) ?? 0, at: index)
    case 3: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
    default: bytes.removeLast(bytes.count - index)
    }
  }
  return bytes
}

private let interesting = Array("\r\n\t :;,%/.?#\\0AfZ\u{0}\u{7f}".utf8)
private let seeds = [
  "GET /ws?a=b HTTP/1.1\r\nHost: example.com:8443\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "POST /a%20b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET / HTTP/1.0\r\n\r\n",
  "\r\nGET http://[::1]:80/x HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: é\r\n\r\nHTTP/1.0 404\r\n\r\n",
  "5;a=b\r\nhello\r\n1F\r\n0123456789012345678901234567890\r\n0\r\nX: y\r\n\r\n",
].map(latin1)
