/// Cuts an input as a network could: at places that follow from its bytes, so that the same input is cut again the same way.
func pieces(of input: [UInt8], longest: Int = 9) -> [[UInt8]] {
  var random = SplitMix64(hashing: input)
  var pieces: [[UInt8]] = []
  var rest = input[...]
  while !rest.isEmpty {
    let piece = rest.prefix(1 + Int(random.next() % UInt64(longest)))
    pieces.append(Array(piece))
    rest = rest[piece.endIndex...]
  }
  return pieces
}

/// Stands for bytes that come in pieces: how many there were, and their FNV-1a hash.
struct Digest: Equatable {
  private(set) var count = 0
  private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325

  init(of bytes: Span<UInt8>) {
    add(bytes)
  }

  mutating func add(_ bytes: Span<UInt8>) {
    count += bytes.count
    for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
  }
}

/// A small generator that an input seeds.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(hashing input: [UInt8]) {
    state = Digest(of: input.span).hash
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
