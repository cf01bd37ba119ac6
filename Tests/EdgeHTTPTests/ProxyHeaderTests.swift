import EdgeCore
import EdgeHTTP
import Testing

@Suite struct `A PROXY header of version 1` {
  @Test(
    arguments: [
      ("TCP4 192.0.2.1 198.51.100.2 56324 443", "192.0.2.1:56324"), ("TCP4 0.0.0.0 255.255.255.255 0 65535", "0.0.0.0:0"),
      ("TCP6 2001:db8::1 2001:db8::2 1 2", "[2001:db8::1]:1"), ("TCP6 ::ffff:192.0.2.1 ::1 1 2", "192.0.2.1:1"),
      ("UNKNOWN", nil), ("UNKNOWN whatever it is", nil),
    ] as [(String, String?)])
  func `tells where the client comes from, and is known at its last byte`(line: String, client: String?) throws {
    let bytes = Array("PROXY \(line)\r\n".utf8)
    for count in 0..<bytes.count { #expect(try read(Array(bytes[..<count])) == .needMore) }
    for rest in ["", "\u{16}\u{3}", "PROXY TCP4"] {
      guard case .header(let header, let length) = try read(bytes + Array(rest.utf8)) else {
        Issue.record("no header in \(line)")
        continue
      }
      #expect(length == bytes.count)
      #expect(address(header) == client)
    }
  }

  @Test(arguments: [
    "TCP4 192.0.2.1 198.51.100.2 56324 443 ", "TCP4  192.0.2.1 198.51.100.2 56324 443", "TCP4 192.0.2.1 198.51.100.2 56324",
    "TCP4 192.0.2.1 198.51.100.2 65536 443", "TCP4 192.0.2.1 198.51.100.2 01 443", "TCP4 192.0.2.1 198.51.100.2 +1 443",
    "TCP4 192.0.2.1 198.51.100.2 1 443 5", "TCP4 192.0.2.01 198.51.100.2 1 443", "TCP4 192.0.2 198.51.100.2 1 443",
    "TCP4 ::1 ::2 1 2", "TCP6 192.0.2.1 192.0.2.2 1 2", "TCP6 ::1%lo ::1 1 2", "TCP4 a b c d", "", "tcp4 192.0.2.1 192.0.2.2 1 2",
    "UDP4 192.0.2.1 192.0.2.2 1 2", "TCP4 192.0.2.1 192.0.2.2 1 2\r",
  ])
  func `is refused when it breaks the rules`(line: String) {
    #expect(throws: ProxyHeaderError.self) { try read(Array("PROXY \(line)\r\n".utf8)) }
  }

  @Test func `ends within 107 bytes`() throws {
    let longest = "PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n"
    #expect(longest.utf8.count == 107)
    #expect(try read(Array(longest.utf8)) == .header(.proxyItself, length: 107))
    let endless = Array("PROXY UNKNOWN \(String(repeating: "x", count: 93))".utf8)
    #expect(try read(Array(endless[..<106])) == .needMore)
    #expect(throws: ProxyHeaderError.tooLong) { try read(endless) }
  }

  @Test func `ends with both bytes of its line's end`() {
    #expect(throws: ProxyHeaderError.malformed) { try read(Array("PROXY UNKNOWN\n".utf8)) }
  }
}

@Suite struct `A PROXY header of version 2` {
  static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb]
  static let v6 =
    [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1] + [UInt8](repeating: 9, count: 16) + [0, 7, 1, 187]

  @Test(
    arguments: [
      (0x21, 0x11, v4, "192.0.2.1:56324"), (0x21, 0x21, v6, "[2001:db8::1]:7"),
      (0x21, 0x11, v4 + [4, 0, 3, 1, 2, 3], "192.0.2.1:56324"), (0x21, 0x31, [UInt8](repeating: 0, count: 216), "unix"),
      (0x20, 0x11, v4, nil), (0x20, 0x00, [], nil), (0x21, 0x00, [1, 2, 3], nil),
    ] as [(UInt8, UInt8, [UInt8], String?)])
  func `tells where the client comes from, whatever extensions follow`(
    command: UInt8, family: UInt8, body: [UInt8], client: String?
  ) throws {
    let bytes = header(command, family, body)
    for count in 0..<bytes.count { #expect(try read(Array(bytes[..<count])) == .needMore) }
    guard case .header(let header, let length) = try read(bytes + [0x16, 0x03]) else {
      Issue.record("no header")
      return
    }
    #expect(length == bytes.count)
    #expect(address(header) == client)
  }

  @Test(
    arguments: [
      (0x11, 0x11, v4), (0x31, 0x11, v4), (0x22, 0x11, v4), (0x21, 0x11, Array(v4.dropLast())),
      (0x21, 0x21, Array(v6.dropLast())),
      (0x21, 0x31, v6), (0x21, 0x12, v4), (0x21, 0x22, v6), (0x21, 0x41, v4),
    ] as [(UInt8, UInt8, [UInt8])])
  func `is refused when it breaks the rules, or tells of no stream`(command: UInt8, family: UInt8, body: [UInt8]) {
    #expect(throws: ProxyHeaderError.self) { try read(header(command, family, body)) }
  }

  @Test func `is refused by its announced length, before it comes`() throws {
    let most = ProxyHeader.maxBytes - 16
    #expect(try read(Array(header(0x21, 0x11, [UInt8](repeating: 0, count: most))[..<16])) == .needMore)
    #expect(throws: ProxyHeaderError.tooLong) {
      try read(Array(header(0x21, 0x11, [UInt8](repeating: 0, count: most + 1))[..<16]))
    }
  }
}

@Suite struct `The first bytes of a connection` {
  @Test(arguments: ["GET / HTTP/1.1", "\u{16}\u{3}\u{1}", "POST", "PROXYX", "proxy TCP4", "\r\n\r\nX", "PRI * HTTP/2.0", "P\r"])
  func `are something else where they cannot become a header`(text: String) throws {
    #expect(try read(Array(text.utf8)) == .absent)
  }

  @Test func `never make the reader fail otherwise, whatever they are`() {
    var random = SystemRandomNumberGenerator()
    let beginnings = [[], Array("PROXY ".utf8), Array("PROXY TCP4 ".utf8), Array(header(0x21, 0x11, []).prefix(12))]
    for _ in 0..<20_000 {
      let beginning = beginnings.randomElement(using: &random) ?? []
      let bytes = beginning + (0..<Int.random(in: 0...120)).map { _ in UInt8.random(in: 0...255) }
      if case .header(_, let length)? = try? read(bytes) { #expect(length <= bytes.count) }
    }
  }
}

private func read(_ bytes: [UInt8]) throws(ProxyHeaderError) -> ProxyHeader.Reading {
  try ProxyHeader.read(bytes.span)
}

private func header(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
  Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [command, family, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
}

private func address(_ header: ProxyHeader) -> String? {
  switch header {
  case .client(let client): client.description
  case .proxyItself: nil
  }
}
