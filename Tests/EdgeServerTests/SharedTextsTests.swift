import Testing

@testable import EdgeServer

@Suite struct `Shared texts` {
  @Test func `are equal to what they were`() {
    var texts = SharedTexts()
    for text in ["", "short", "https://chat.example.test", "https://chat.example.test", "é" + String(repeating: "x", count: 400)]
    {
      #expect(texts.shared(text) == text)
    }
  }

  @Test func `are stored once`() {
    var texts = SharedTexts()
    let first = texts.shared(made("https://chat.example.test"))
    let second = texts.shared(made("https://chat.example.test"))
    #expect(storage(of: first) == storage(of: second))
    #expect(storage(of: first) != storage(of: made("https://chat.example.test")))
  }

  @Test func `begin anew where clients have filled the table`() {
    var texts = SharedTexts()
    let before = texts.shared(made("https://chat.example.test"))
    for number in 0..<256 { _ = texts.shared("https://\(number).example.test") }
    #expect(storage(of: texts.shared(made("https://chat.example.test"))) != storage(of: before))
  }

  /// A text in storage of its own.
  private func made(_ text: String) -> String {
    String(decoding: Array(text.utf8), as: UTF8.self)
  }

  private func storage(of text: String) -> UnsafePointer<UInt8>? {
    text.utf8.withContiguousStorageIfAvailable { $0.baseAddress } ?? nil
  }
}
