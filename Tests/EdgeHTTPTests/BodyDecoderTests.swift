import EdgeHTTP
import Testing

@Suite struct BodyDecoderTests {
  @Test(
    arguments: [
      (.none, "GET /", "", "GET /"), (.length(0), "x", "", "x"), (.length(5), "helloGET", "hello", "GET"),
      (.length(5), "hello", "hello", ""), (.chunked, "0\r\n\r\nGET", "", "GET"),
      (.chunked, "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET", "hello world", "GET"),
      (.chunked, "a\r\n0123456789\r\n009\r\n\r\n0\r\n\r\n0\r\r\n000\r\n\r\n", "0123456789\r\n0\r\n\r\n0\r", ""),
      (.chunked, "1;a\r\nx\r\n1;b=\"c;d\"\r\ny\r\n1 ;\te\r\nz\r\n0;f\r\n\r\n", "xyz", ""),
      (.chunked, "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\nGET", "x", "GET"),
      (.chunked, "1\r\n\n\r\n0\r\n\r\n", "\n", ""),
    ] as [(BodyFraming, String, String, String)])
  func `RFC 9112 §6, §7: data is found and what follows is left`(framing: BodyFraming, input: String, data: String, rest: String)
  {
    let decoded = decode(input, framing)
    #expect(decoded == Decoded(data: data, isComplete: true, rest: rest))
  }

  @Test(
    arguments: [
      (.length(6), "hello", "hello"), (.untilClose, "hello", "hello"), (.chunked, "", ""), (.chunked, "5", ""),
      (.chunked, "5\r\nhel", "hel"), (.chunked, "0\r\n", ""), (.chunked, "0\r\nA: b\r\n", ""),
    ] as [(BodyFraming, String, String)])
  func `a body that is not whole asks for more`(framing: BodyFraming, input: String, data: String) {
    #expect(decode(input, framing) == Decoded(data: data))
  }

  @Test(
    arguments: [
      ("\r\n", .chunkHeader), (";a\r\n", .chunkHeader), ("x\r\n", .chunkHeader), ("-1\r\n", .chunkHeader),
      ("+1\r\n", .chunkHeader),
      ("0x1\r\n", .chunkHeader), ("1_0\r\n", .chunkHeader), (" 1\r\n", .chunkHeader), ("1 \r\n", .chunkHeader),
      ("1\nx\r\n", .chunkHeader), ("1\rx\r\n", .chunkHeader), ("1\r\rx", .chunkHeader), ("1;a\nx", .chunkHeader),
      ("1;a\u{0}\r\n", .chunkHeader), ("1;é\r\n", .chunkHeader), ("1,1\r\n", .chunkHeader),
      ("1\r\nxy", .chunkEnd), ("1\r\nx\n", .chunkEnd), ("1\r\nx\r\r", .chunkEnd), ("1\r\nx0\r\n", .chunkEnd),
      ("FFFFFFFFFFFFFFFF\r\n", .contentTooLarge), ("10000000000000001\r\n", .contentTooLarge),
      ("0000000000000000\r\n", .contentTooLarge),
      ("0\r\nA\r\n", .fieldName), ("0\r\nA : b\r\n", .fieldName), ("0\r\n A: b\r\n", .lineFolding), ("0\r\nA: b\n", .lineEnding),
      ("0\r\n\n", .lineEnding), ("0\r\nA: \u{0}", .controlByte),
    ] as [(String, HTTPParseError)])
  func `RFC 9112 §7.1: wrong chunks are refused`(input: String, expected: HTTPParseError) {
    #expect(decode(input, .chunked).error == expected)
    #expect(decode("3\r\nabc\r\n" + input, .chunked).error == expected)
  }

  @Test func `chunk extensions are bounded over the whole body`() {
    let chunk = "1;\(String(repeating: "e", count: 1023))\r\nx\r\n"
    #expect(decodeOnce(String(repeating: chunk, count: 4) + "0\r\n\r\n", .chunked).isComplete)
    #expect(decodeOnce(String(repeating: chunk, count: 4) + "0;\r\n\r\n", .chunked).error == .chunkExtensionTooLong)
  }

  @Test func `trailers are bounded`() {
    #expect(decodeOnce("0\r\nA: \(String(repeating: "b", count: 5000))", .chunked).error == .fieldLineTooLong)
    #expect(decodeOnce("0\r\n" + String(repeating: "A: b\r\n", count: 33), .chunked).error == .tooManyFields)
    let long = "A: \(String(repeating: "b", count: 3000))\r\n"
    #expect(decodeOnce("0\r\n\(long)\(long)\(long)", .chunked).error == .headTooLarge)
  }

  @Test(
    arguments: [
      (.untilClose, "hello", nil), (.none, "", nil), (.length(1), "x", nil), (.length(2), "x", .truncated),
      (.chunked, "1\r\nx\r\n", .truncated), (.chunked, "1\r\n", .truncated), (.chunked, "0\r\n", .truncated),
      (.chunked, "0\r\n\r\n", nil), (.chunked, "x", .chunkHeader),
    ] as [(BodyFraming, String, HTTPParseError?)])
  func `RFC 9112 §8: a close ends only a body that says so`(framing: BodyFraming, input: String, expected: HTTPParseError?) {
    var decoder = BodyDecoder(framing)
    var decoded = Decoded()
    for byte in latin1(input) { feed([byte], to: &decoder, &decoded) }
    do throws(HTTPParseError) {
      try decoder.receivedEnd()
      #expect(expected == nil)
      let isComplete = decoder.isComplete
      #expect(isComplete)
    } catch {
      #expect(error == expected)
    }
  }

  @Test func `what is encoded in chunks decodes to the same, however it is split`() {
    var random = SeededRandom(state: 1)
    for _ in 0..<200 {
      let data = (0..<Int.random(in: 0...2000, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      var encoded: [UInt8] = []
      for piece in random.pieces(of: data, longest: 300) { ChunkedEncoding.appendChunk(piece.span, into: &encoded) }
      encoded += ChunkedEncoding.lastChunk
      var decoder = BodyDecoder(.chunked)
      var decoded = Decoded()
      for piece in random.pieces(of: encoded + Array("next".utf8), longest: 64) { feed(piece, to: &decoder, &decoded) }
      #expect(latin1(decoded.data) == data)
      #expect(decoded.isComplete && decoded.rest == "next")
    }
  }

  @Test func `an empty piece of data makes no chunk, which would end the body`() {
    let nothing: [UInt8] = []
    let chunk = text { ChunkedEncoding.appendChunk(nothing.span, into: &$0) }
    #expect(chunk.isEmpty)
    #expect(text { ChunkedEncoding.appendHeader(size: 31, into: &$0) } == "1f\r\n")
    #expect(text { ChunkedEncoding.appendHeader(size: .max, into: &$0) }.utf8.count == ChunkedEncoding.maxHeaderBytes)
  }
}

private struct Decoded: Equatable {
  var data = ""
  var error: HTTPParseError?
  var isComplete = false
  var rest = ""
}

private func decode(_ input: String, _ framing: BodyFraming) -> Decoded {
  sameForEverySplit(of: latin1(input)) { decodePieces($0, framing) }
}

private func decodeOnce(_ input: String, _ framing: BodyFraming) -> Decoded {
  decodePieces([latin1(input)], framing)
}

private func decodePieces(_ pieces: [[UInt8]], _ framing: BodyFraming) -> Decoded {
  var decoder = BodyDecoder(framing)
  var decoded = Decoded()
  for piece in pieces { feed(piece, to: &decoder, &decoded) }
  return decoded
}

private func feed(_ piece: [UInt8], to decoder: inout BodyDecoder, _ decoded: inout Decoded) {
  var offset = 0
  do throws(HTTPParseError) {
    while true {
      switch try decoder.next(piece.span, at: offset) {
      case .data(let range):
        decoded.data += latin1Text(piece[range])
        offset = range.upperBound
      case .end(let position):
        decoded.isComplete = true
        decoded.rest += latin1Text(piece[position...])
        return
      case .needMore: return
      }
    }
  } catch {
    decoded.error = error
  }
}

private func latin1Text(_ bytes: ArraySlice<UInt8>) -> String {
  var text = ""
  text.unicodeScalars.append(contentsOf: bytes.map { Unicode.Scalar($0) })
  return text
}
