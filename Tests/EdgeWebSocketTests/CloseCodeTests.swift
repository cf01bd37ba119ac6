import EdgeWebSocket
import Testing

@Suite struct `Close codes (RFC 6455 §7.4)` {
  @Test(arguments: [1000...1003, 1007...1014, 3000...4999] as [ClosedRange<UInt16>])
  func `codes that a frame may carry`(_ codes: ClosedRange<UInt16>) {
    for code in codes { #expect(CloseCode(rawValue: code).isValidOnWire, "\(code)") }
  }

  @Test(arguments: [0...999, 1004...1006, 1015...2999, 5000...65_535] as [ClosedRange<UInt16>])
  func `codes that no frame may carry`(_ codes: ClosedRange<UInt16>) {
    for code in codes { #expect(!CloseCode(rawValue: code).isValidOnWire, "\(code)") }
  }

  @Test func `every framing error closes with a code that a frame may carry`() {
    for error in FrameError.allCases { #expect(error.closeCode.isValidOnWire, "\(error)") }
  }

  @Test func `every framing error has a word fit for a metric label`() {
    for error in FrameError.allCases {
      #expect(error.rawValue.allSatisfy { $0 == "_" || $0.isLowercase || $0.isNumber }, "\(error)")
    }
  }
}
