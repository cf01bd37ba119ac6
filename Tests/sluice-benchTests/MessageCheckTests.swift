import EdgeWebSocket
import Testing

@testable import sluice_bench

@Suite struct MessageCheckTests {
  private let book = MessageBook(.text, size: 40)

  @Test func `a message is whole with its last piece, cut anywhere, and the next one begins anew`() throws {
    for cut in 1..<40 {
      var check = MessageCheck()
      for number: UInt64 in 1...2 {
        let message = book.pattern.message(number)
        #expect(try !check.receive(message.span.extracting(first: cut), endsMessage: false, of: number, in: book))
        #expect(try check.receive(message.span.extracting(droppingFirst: cut), endsMessage: true, of: number, in: book))
      }
    }
  }

  @Test func `a message that is cut short is found`() {
    var check = MessageCheck()
    let message = book.pattern.message(1)
    #expect(throws: LoadFailure.self) {
      try check.receive(message.span.extracting(first: 39), endsMessage: true, of: 1, in: book)
    }
  }

  @Test func `another message is found`() {
    var check = MessageCheck()
    #expect(throws: LoadFailure.self) {
      try check.receive(book.pattern.message(2).span, endsMessage: true, of: 1, in: book)
    }
  }

  @Test func `a frame is what the proxy is to read`() throws {
    var reader = FrameReader(sender: .client, maxMessageBytes: 40, checksUTF8: true)
    let frame = book.frame(7, maskKey: MaskKey(rawValue: 0))
    guard case .data(let header, startsMessage: true, let start) = try reader.next(frame.span, at: 0) else {
      Issue.record("no frame begins here")
      return
    }
    #expect(header.isFinal && header.opcode == .text && header.payloadLength == 40 && header.isMasked)
    #expect(Array(frame[start...]) == book.pattern.message(7))
  }
}
