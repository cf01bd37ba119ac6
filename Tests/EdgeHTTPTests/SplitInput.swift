import EdgeHTTP
import Testing

/// What a parser made of an input: the heads it found, the error that ended it, and whether a head was begun at the end.
struct Parsed<Head: Equatable>: Equatable {
  var heads: [Head] = []
  var error: HTTPParseError?
  var isPartial = false
}

/// Parses requests without bodies from `text` (Latin-1), whole and split in every way, and expects the same each time.
func requests(in text: String, limits: HeadLimits = HeadLimits()) -> Parsed<RequestHead> {
  sameForEverySplit(of: latin1(text)) { pieces in
    var parser = RequestHeadParser(limits: limits)
    var parsed = Parsed<RequestHead>()
    parsed.error = firstError(in: pieces) { rest throws(HTTPParseError) in
      try record(parser.receive(rest.span), in: &parsed.heads, of: rest)
    }
    parsed.isPartial = parser.hasPartialHead
    return parsed
  }
}

/// Parses answers without bodies from `text` (Latin-1), whole and split in every way, and expects the same each time.
func responses(in text: String, limits: HeadLimits = HeadLimits()) -> Parsed<ResponseHead> {
  sameForEverySplit(of: latin1(text)) { pieces in
    var parser = ResponseHeadParser(limits: limits)
    var parsed = Parsed<ResponseHead>()
    parsed.error = firstError(in: pieces) { rest throws(HTTPParseError) in
      try record(parser.receive(rest.span), in: &parsed.heads, of: rest)
    }
    parsed.isPartial = parser.hasPartialHead
    return parsed
  }
}

/// Runs `body` with the input whole, cut in two at every byte, and byte by byte; every outcome must be the first one.
func sameForEverySplit<Outcome: Equatable>(
  of input: [UInt8], sourceLocation: SourceLocation = #_sourceLocation, _ body: ([[UInt8]]) -> Outcome
) -> Outcome {
  let expected = body([input])
  for cut in 0...input.count {
    #expect(body([Array(input[..<cut]), Array(input[cut...])]) == expected, "cut at \(cut)", sourceLocation: sourceLocation)
  }
  #expect(body(input.map { [$0] }) == expected, "byte by byte", sourceLocation: sourceLocation)
  return expected
}

/// One byte for each scalar.
func latin1(_ text: String) -> [UInt8] {
  text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

/// Text of bytes that are ASCII.
func text(_ write: (inout [UInt8]) -> Void) -> String {
  var bytes: [UInt8] = []
  write(&bytes)
  return String(decoding: bytes, as: UTF8.self)
}

/// A small generator with a fixed seed, so that a failure comes again (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// The input cut at random places.
  mutating func pieces(of input: [UInt8], longest: Int) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = input[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Int.random(in: 1...longest, using: &self))
      pieces.append(Array(piece))
      rest = rest.dropFirst(piece.count)
    }
    return pieces
  }
}

/// Gives each piece to `take` until it is used up; `take` says how many bytes it took.
func firstError(in pieces: [[UInt8]], take: ([UInt8]) throws(HTTPParseError) -> Int) -> HTTPParseError? {
  do throws(HTTPParseError) {
    for piece in pieces {
      var rest = piece
      while !rest.isEmpty { rest.removeFirst(try take(rest)) }
    }
    return nil
  } catch {
    return error
  }
}

private func record<Head: Sendable>(_ progress: HeadProgress<Head>, in heads: inout [Head], of rest: [UInt8]) -> Int {
  switch progress {
  case .needMore:
    return rest.count
  case .complete(let head, let consumed):
    heads.append(head)
    return consumed
  }
}
