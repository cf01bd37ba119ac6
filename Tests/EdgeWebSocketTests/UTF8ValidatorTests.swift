import EdgeWebSocket
import Testing

/// How many bytes of `text` the validator takes before it refuses one; `text.count` if it takes all.
private func acceptedCount(_ text: [UInt8]) -> Int {
  var validator = UTF8Validator()
  for index in text.indices {
    guard validator.accept(text.span, in: index..<index + 1) else { return index }
  }
  return text.count
}

/// Whether the text is valid, taken in `pieceBytes` at a time under a mask.
private func isValid(_ text: [UInt8], pieceBytes: Int, maskKey: MaskKey) -> Bool {
  let masked = unmasked(text, maskKey)
  var validator = UTF8Validator()
  for start in stride(from: 0, to: text.count, by: pieceBytes) {
    let range = start..<min(start + pieceBytes, text.count)
    guard validator.accept(masked.span, in: range, maskKey: maskKey.advanced(by: start)) else { return false }
  }
  return validator.isComplete
}

/// The standard library's opinion, from code that has nothing in common with ours.
private func isReallyValid(_ text: [UInt8]) -> Bool {
  String(validating: text, as: UTF8.self) != nil
}

/// The first and last byte of each class that a byte behind a lead byte can belong to.
private let borders: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]

private let secrets = [MaskKey.zero, MaskKey(0x37, 0xFA, 0x21, 0x3D), MaskKey(0x80, 0x80, 0x80, 0x80)]

@Suite struct `UTF-8` {
  @Test(arguments: [
    "", "a", "κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "日本語のテキスト", "👩‍👩‍👧‍👦 family", "\u{0}\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}",
    "\u{D7FF}\u{E000}\u{FFFD}\u{10000}\u{10FFFF}", "ASCII, then a long run of it to pass the word loop …",
  ])
  func `valid text passes whole, in pieces of every size and under a mask`(_ text: String) {
    for key in secrets {
      for pieceBytes in 1...max(1, text.utf8.count) {
        #expect(isValid(utf8(text), pieceBytes: pieceBytes, maskKey: key))
      }
    }
  }

  @Test func `every pair of bytes is judged as the standard library does`() {
    for first in 0...255 as ClosedRange<UInt8> {
      for second in 0...255 as ClosedRange<UInt8> {
        let text = [first, second]
        if isValid(text, pieceBytes: 2, maskKey: .zero) != isReallyValid(text) { Issue.record("\(text)") }
      }
    }
  }

  @Test func `every lead byte with bytes from all borders is judged alike by words and by single bytes`() {
    for first in 0x80...255 as ClosedRange<UInt8> {
      for second in borders {
        for rest in [[0x80, 0x80], [0xBF, 0xBF], [0xBF, 0x20], [0x20, 0x20], [0xC0, 0x80]] as [[UInt8]] {
          for place in [0, 3, 4, 5] {
            let text = [UInt8](repeating: 0x61, count: place) + [first, second] + rest + utf8("and more")
            let really = isReallyValid(text)
            if isValid(text, pieceBytes: text.count, maskKey: secrets[1]) != really { Issue.record("words: \(text)") }
            if isValid(text, pieceBytes: 1, maskKey: secrets[1]) != really { Issue.record("bytes: \(text)") }
          }
        }
      }
    }
  }

  @Test(
    arguments: [
      ([0x80], 0), ([0xC0, 0xAF], 0), ([0xC1], 0), ([0xE0, 0x9F], 1), ([0xED, 0xA0], 1), ([0xF0, 0x8F], 1),
      ([0xF4, 0x90], 1), ([0xF5], 0), ([0xFF], 0), ([0xE2, 0x98, 0x28], 2), ([0x61, 0xC3, 0x61], 2),
    ] as [([UInt8], Int)])
  func `is refused at the first byte that nothing can mend`(_ text: [UInt8], _ accepted: Int) {
    #expect(acceptedCount(text) == accepted)
  }

  @Test func `whatever is still accepted can be completed`() {
    let endings: [[UInt8]] =
      [[]]
      + [0x80, 0x90, 0x8F, 0x9F, 0xA0, 0xBF].flatMap { second in
        [[second], [second, 0x80], [second, 0x80, 0x80]]
      }
    for first in 0...255 as ClosedRange<UInt8> {
      for second in borders {
        let text = [first, second]
        let mendable = endings.contains { isReallyValid(text + $0) }
        if (acceptedCount(text) == 2) != mendable { Issue.record("\(text)") }
      }
    }
  }

  @Test func `random text with random damage is judged as the standard library does`() {
    var random = SplitMix64(state: 7)
    let alphabet = Array("abcdefgh ÄÖÜß€日本😀\u{10FFFF}\u{D7FF}")
    for _ in 0..<3000 {
      let count = Int.random(in: 0...60, using: &random)
      var text = utf8(String((0..<count).map { _ in alphabet.randomElement(using: &random) ?? "a" }))
      if Bool.random(using: &random), !text.isEmpty {
        text[Int.random(in: text.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let key = MaskKey(rawValue: UInt32.random(in: 0 ... .max, using: &random))
      let pieceBytes = Int.random(in: 1...70, using: &random)
      #expect(isValid(text, pieceBytes: pieceBytes, maskKey: key) == isReallyValid(text), "\(text) by \(pieceBytes)")
    }
  }
}

@Suite struct `A mask key` {
  @Test func `masks as RFC 6455 §5_3 says, for every length and start`() {
    let key = MaskKey(0x37, 0xFA, 0x21, 0x3D)
    for start in 0..<10 {
      for count in 0..<40 {
        let bytes = (0..<UInt8(start + count)).map { $0 &* 7 }
        var masked = bytes
        var span = masked.mutableSpan
        key.apply(to: &span, from: start)
        #expect(masked == bytes[..<start] + unmasked(Array(bytes[start...]), key))
      }
    }
  }

  @Test func `goes on where it stopped`() {
    let key = MaskKey(1, 2, 3, 4)
    for done in 0..<9 {
      for index in 0..<9 { #expect(key.advanced(by: done).byte(at: index) == key.byte(at: done + index)) }
    }
  }
}
