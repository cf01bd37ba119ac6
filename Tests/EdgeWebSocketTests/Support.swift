import EdgeWebSocket

/// What a reader reported, in a form that does not depend on how its input was cut.
enum Seen: Equatable {
  case data(FrameHeader, startsMessage: Bool)
  /// A frame's whole payload, unmasked.
  case payload([UInt8], endsMessage: Bool)
  /// What came of a frame's payload before the input ended or broke off; its length depends on the cuts after an error.
  case partialPayload([UInt8])
  case ping([UInt8])
  case pong([UInt8])
  case close(CloseCode?, String)
  case error(FrameError)
}

/// The reader's settings in a test.
struct Rules {
  var sender = FrameSender.client
  var maxMessageBytes = 1 << 20
  var checksUTF8 = true
}

/// Reads `pieces` one after the other, keeping what the reader asks to keep.
func read(_ pieces: [ArraySlice<UInt8>], _ rules: Rules = Rules()) -> [Seen] {
  var reader = FrameReader(
    sender: rules.sender, maxMessageBytes: rules.maxMessageBytes, checksUTF8: rules.checksUTF8)
  var seen: [Seen] = []
  var kept: [UInt8] = []
  var key = MaskKey.zero
  var payload: [UInt8]?
  for piece in pieces {
    let input = kept + piece
    var offset = 0
    reading: while true {
      let step: FrameStep
      do throws(FrameError) {
        step = try reader.next(input.span, at: offset)
      } catch {
        return seen + [.error(error)]
      }
      switch step {
      case .needMore:
        precondition(input.count - offset <= FrameReader.maxKeptBytes, "asked to keep too much")
        kept = Array(input[offset...])
        break reading
      case .data(let header, let startsMessage, let end):
        seen.append(.data(header, startsMessage: startsMessage))
        key = header.maskKey ?? .zero
        payload = []
        offset = end
      case .payload(let end, let endsFrame, let endsMessage):
        let bytes = unmasked(Array(input[offset..<end]), key)
        key = key.advanced(by: end - offset)
        payload = (payload ?? []) + bytes
        offset = end
        if endsFrame {
          seen.append(.payload(payload ?? [], endsMessage: endsMessage))
          payload = nil
        }
      case .ping(let body, let end):
        seen.append(.ping(bytes(of: body, in: input)))
        offset = end
      case .pong(let body, let end):
        seen.append(.pong(bytes(of: body, in: input)))
        offset = end
      case .close(let code, let reason, let end):
        seen.append(.close(code, String(closeReason: reason, in: input.span)))
        offset = end
      case .afterClose:
        kept = []
        break reading
      }
    }
  }
  if let payload { seen.append(.partialPayload(payload)) }
  return seen
}

/// The one helper for splitting: `input` whole, cut in two at every byte, and byte by byte.
func everySplit(of input: [UInt8]) -> [[ArraySlice<UInt8>]] {
  var splits = [[input[...]], input.indices.map { input[$0...$0] }]
  for cut in input.indices.dropFirst() { splits.append([input[..<cut], input[cut...]]) }
  return splits
}

/// Cuts `input` at random places, in pieces of at most `maxPieceBytes`.
func randomSplit(of input: [UInt8], maxPieceBytes: Int, using random: inout SplitMix64) -> [ArraySlice<UInt8>] {
  var pieces: [ArraySlice<UInt8>] = []
  var start = 0
  while start < input.count {
    let end = min(input.count, start + Int.random(in: 1...maxPieceBytes, using: &random))
    pieces.append(input[start..<end])
    start = end
  }
  return pieces
}

/// Builds a frame byte by byte, without the code under test; any nonsense can be built.
func frame(
  _ opcode: UInt8, _ payload: [UInt8] = [], fin: Bool = true, reserved: UInt8 = 0, key: [UInt8]? = [1, 2, 3, 4],
  lengthWidth: Int? = nil, announcing announced: UInt64? = nil
) -> [UInt8] {
  let length = announced ?? UInt64(payload.count)
  let width = lengthWidth ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8)
  let mark = width == 0 ? UInt8(length) : width == 2 ? 126 : 127
  var bytes = [(fin ? 0x80 : 0) | reserved << 4 | opcode, (key == nil ? 0 : 0x80) | mark]
  for position in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(8 * position))) }
  bytes += key ?? []
  for (index, byte) in payload.enumerated() { bytes.append(byte ^ (key?[index % 4] ?? 0)) }
  return bytes
}

func unmasked(_ bytes: [UInt8], _ key: MaskKey) -> [UInt8] {
  bytes.enumerated().map { $1 ^ key.byte(at: $0) }
}

func bytes(of body: ControlBody, in input: [UInt8]) -> [UInt8] {
  ControlPayload(body, in: input.span).withBytes(Array.init(copying:))
}

func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

extension Array where Element == UInt8 {
  init(copying bytes: Span<UInt8>) {
    self = bytes.indices.map { bytes[$0] }
  }
}

/// A small generator with a fixed seed, so that a failure can be repeated.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
