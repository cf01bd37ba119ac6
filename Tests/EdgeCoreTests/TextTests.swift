import EdgeCore
import Testing

@Suite struct `Questions about bytes` {
  @Test func `RFC 9110 §5_6_2: token characters are these and no others`() {
    let tokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8
    for byte in UInt8.min...UInt8.max { #expect(ASCII.isTokenCharacter(byte) == tokens.contains(byte)) }
    #expect(ASCII.isToken("chat.v1") && !ASCII.isToken("") && !ASCII.isToken("a b") && !ASCII.isToken("é"))
  }

  @Test func `visible and unreserved characters are these and no others`() {
    for byte in UInt8.min...UInt8.max {
      #expect(ASCII.isVisible(byte) == (0x21...0x7e).contains(byte))
      #expect(ASCII.isUnreserved(byte) == (ASCII.isLetter(byte) || ASCII.isDigit(byte) || "-._~".utf8.contains(byte)))
    }
  }

  @Test(arguments: [("", ""), (" ", ""), (" \t ", ""), ("a", "a"), ("\t a b ", "a b"), ("\u{a0}a\n", "\u{a0}a\n")])
  func `spaces and tabs at the ends are trimmed, and nothing else`(text: String, trimmed: String) {
    #expect(ASCII.trimmed(Array(text.utf8)).elementsEqual(trimmed.utf8))
  }

  @Test func `letters of either case are the same, and no other characters are`() {
    #expect(ASCII.equalIgnoringCase("WebSocket", "websocket"))
    #expect(!ASCII.equalIgnoringCase("websocket", "websockets"))
    #expect(!ASCII.equalIgnoringCase("[", "{"))
    #expect(!ASCII.equalIgnoringCase("K", "\u{212a}"))
  }
}

@Suite struct `A host` {
  @Test(arguments: [
    ("Chat.Example.COM", "chat.example.com"), ("example.com.", "example.com"), ("127.0.0.1", "127.0.0.1"), ("a_b-c", "a_b-c"),
    ("[2001:DB8:0::1]", "[2001:db8::1]"), ("[::FFFF:192.0.2.1]", "[::ffff:192.0.2.1]"),
    ("[::ffff:c000:201]", "[::ffff:192.0.2.1]"),
  ])
  func `has one form`(text: String, normal: String) {
    #expect(HostName.normalized(text) == normal)
    #expect(HostName.normalized(normal) == normal)
  }

  @Test(arguments: [
    "", ".", "..", "a..b", ".a", "a..", "a b", "a/b", "a:1", "a@b", "a%62", "é", "*", "a\n", "[", "]", "[]", "[x]", "[1.2.3.4]",
    "[::1",
    "::1", "[::1]x", "[fe80::1%eth0]", String(repeating: "a", count: 64), String(repeating: "a.", count: 128),
  ])
  func `is a name or an IPv6 literal, nothing else`(text: String) {
    #expect(HostName.normalized(text) == nil)
  }
}

@Suite struct `Digits` {
  @Test func `of a number are sixteen`() {
    #expect(Hexadecimal.text(0 as UInt64) == "0000000000000000")
    #expect(Hexadecimal.text(UInt64.max) == "ffffffffffffffff")
    #expect(Hexadecimal.text(0x0123_4567_89ab_cdef as UInt64) == "0123456789abcdef")
    #expect(Hexadecimal.text(0xfedc_ba98_7654_3210 as UInt64) == "fedcba9876543210")
  }

  @Test func `of bytes are two for each, and are read in either case`() {
    let bytes = Array(UInt8.min...UInt8.max)
    #expect(Hexadecimal.bytes(Hexadecimal.text(bytes).utf8) == bytes)
    #expect(Hexadecimal.bytes("aAFf".utf8) == [0xaa, 0xff])
    for text in ["a", "abc", "0x", "+1", "é", " a"] { #expect(Hexadecimal.bytes(text.utf8) == nil) }
  }

  @Test func `RFC 3986 §2_1: behind a percent sign are an escape`() {
    for byte in UInt8.min...UInt8.max {
      var text: [UInt8] = []
      PercentEncoding.append(byte, to: &text)
      #expect(text.count == 3 && PercentEncoding.decode(text) == [byte])
    }
    #expect(PercentEncoding.decode("a%c3%A9b".utf8).map { String(decoding: $0, as: UTF8.self) } == "aéb")
    for text in ["%", "%4", "%4g", "a%%41", "%-1"] { #expect(PercentEncoding.decode(text.utf8) == nil) }
  }
}
