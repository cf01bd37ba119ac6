import EdgeCore
import Testing

@Suite struct `Base64 (RFC 4648)` {
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func `§10: the vectors hold, for URLs without their padding`(plain: String, encoded: String) {
    let urlSafe = encoded.replacing("=", with: "")
    #expect(Base64.padded.encode(Array(plain.utf8)) == encoded)
    #expect(Base64.padded.decode(encoded) == Array(plain.utf8))
    #expect(Base64.urlSafe.encode(Array(plain.utf8)) == urlSafe)
    #expect(Base64.urlSafe.decode(urlSafe) == Array(plain.utf8))
  }

  @Test(arguments: Base64.allCases)
  func `every byte comes back, in every position`(form: Base64) {
    for count in 0..<5 {
      for value in UInt8.min...UInt8.max {
        let bytes = Array(repeating: 0x5a, count: count) + [value]
        #expect(form.decode(form.encode(bytes)) == bytes)
      }
    }
  }

  @Test(arguments: [
    "Z", "Zm9vY", "Zg==", "Zg=", "Zm8=", "=", "====", "+/+/", "Zm 9", "Zm9v\n", " Zm9v", "Zm9v.", "Zh", "Zm9", "AB", "AAB", "é",
    "Zm\u{0}v",
  ])
  func `§5: what is not the one strict text is refused`(text: String) {
    #expect(Base64.urlSafe.decode(text) == nil)
  }

  @Test(arguments: [
    "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm8", "Zm9=", "=", "==", "====", "=Zm8", "Zg==Zg==", "Z=g=", "-_-_", "Zm9v\n", " Zm9",
    "Zm9v====", "é===",
  ])
  func `§4: what is not the one strict text is refused`(text: String) {
    #expect(Base64.padded.decode(text) == nil)
  }

  @Test func `the last two digits differ between the forms`() {
    #expect(Base64.urlSafe.encode([0xfb, 0xff, 0xbf]) == "-_-_")
    #expect(Base64.urlSafe.decode("-_-_") == [0xfb, 0xff, 0xbf])
    #expect(Base64.padded.encode([0xfb, 0xff, 0xbf]) == "+/+/")
    #expect(Base64.padded.decode("+/+/") == [0xfb, 0xff, 0xbf])
  }
}
