import EdgeAuth
import Testing

@Suite struct Base64URLTests {
  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
  ])
  func `the vectors of RFC 4648 §10 hold without padding`(plain: String, encoded: String) {
    #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
    #expect(Base64URL.decode(encoded) == Array(plain.utf8))
  }

  @Test func `every byte comes back, in every position`() {
    for count in 0..<5 {
      for value in UInt8.min...UInt8.max {
        let bytes = Array(repeating: 0x5a, count: count) + [value]
        #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
      }
    }
  }

  @Test(arguments: [
    "Z", "Zm9vY", "Zg==", "Zg=", "Zm8=", "=", "+/+/", "Zm 9", "Zm9v\n", " Zm9v", "Zm9v.", "Zh", "Zm9", "AB", "AAB", "é",
    "Zm\u{0}v",
  ])
  func `what is not the one strict encoding is refused`(text: String) {
    #expect(Base64URL.decode(text) == nil)
  }

  @Test func `the alphabet is the one of URLs`() {
    #expect(Base64URL.encode([0xfb, 0xff, 0xbf]) == "-_-_")
    #expect(Base64URL.decode("-_-_") == [0xfb, 0xff, 0xbf])
  }
}
