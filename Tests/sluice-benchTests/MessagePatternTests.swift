import Testing

@testable import sluice_bench

@Suite struct MessagePatternTests {
  @Test(arguments: [1, 15, 16, 17, 128])
  func `a message is its own echo, cut anywhere`(size: Int) {
    let pattern = MessagePattern(size: size)
    let message = pattern.message(0xFEDC_BA98)
    for cut in 0...size {
      #expect(pattern.mismatch(in: message.span.extracting(first: cut), at: 0, of: 0xFEDC_BA98) == nil)
      #expect(pattern.mismatch(in: message.span.extracting(droppingFirst: cut), at: cut, of: 0xFEDC_BA98) == nil)
    }
  }

  @Test func `a changed byte is found, wherever it is`() {
    let pattern = MessagePattern(size: 64)
    for place in 0..<64 {
      var message = pattern.message(7)
      message[place] ^= 1
      #expect(pattern.mismatch(in: message.span, at: 0, of: 7) == place)
    }
  }

  @Test func `the echo of another message is found`() {
    let pattern = MessagePattern(size: 64)
    #expect(pattern.mismatch(in: pattern.message(8).span, at: 0, of: 7) == 0)
  }

  @Test func `bytes past the end are found`() {
    let pattern = MessagePattern(size: 4)
    #expect(pattern.mismatch(in: [0x61, 0x62].span, at: 3, of: 7) == 4)
  }
}
