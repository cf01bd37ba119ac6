/// An input read as a list of things that happen: what a target does with its bytes, it does in their order.
struct Script {
  private var rest: ArraySlice<UInt8>

  init(_ input: [UInt8]) {
    rest = input[...]
  }

  /// The next byte; nil at the end.
  mutating func byte() -> UInt8? {
    rest.popFirst()
  }

  /// As many bytes as the next byte says, or as there are.
  mutating func bytes() -> [UInt8] {
    let count = Int(byte() ?? 0)
    let bytes = rest.prefix(count)
    rest = rest[bytes.endIndex...]
    return Array(bytes)
  }

  /// All that is left.
  mutating func remainder() -> [UInt8] {
    defer { rest = [] }
    return Array(rest)
  }
}
