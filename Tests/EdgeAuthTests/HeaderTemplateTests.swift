import EdgeAuth
import EdgeCore
import Testing

@Suite struct HeaderTemplateTests {
  private static let claims: JSON = [
    "sub": "alice", "team": "ré d%\r\nX-Admin: 1", "n": 7, "ok": true, "half": 0.5, "roles": ["a b", "c"], "none": nil,
    "empty": "",
    "https://x.example/id": "ns",
  ]

  @Test(arguments: [
    ("{claim.sub}", "alice"), ("user={claim.sub};n={claim.n}", "user=alice;n=7"), ("{claim.sub}{claim.sub}", "alicealice"),
    ("fixed text", "fixed text"), ("{{claim.sub}}", "{claim.sub}"), ("{{{claim.sub}}}", "{alice}"), ("100%", "100%"),
    ("{claim.team}", "r%C3%A9%20d%25%0D%0AX-Admin:%201"), ("{claim.ok}", "true"),
    ("{claim.half}", "0.5"), ("{claim.roles}", #"["a%20b","c"]"#), ("{claim.https://x.example/id}", "ns"),
  ])
  func `claims are filled in, as one word on one line`(template: String, value: String) throws {
    #expect(try HeaderTemplate(template).value(for: Self.claims) == value)
  }

  @Test(arguments: ["{claim.absent}", "{claim.none}", "{claim.empty}", "a{claim.sub}b{claim.absent}", "{claim.Sub}"])
  func `a claim that says nothing gives no header`(template: String) throws {
    #expect(try HeaderTemplate(template).value(for: Self.claims) == nil)
  }

  @Test func `the limit counts the encoded value`() throws {
    let template = try HeaderTemplate("u={claim.sub}")
    #expect(try template.value(for: ["sub": .string(String(repeating: "a", count: 1022))])?.utf8.count == 1024)
    #expect(throws: TokenError.invalid(.headerTooLong)) {
      try template.value(for: ["sub": .string(String(repeating: "a", count: 1023))])
    }
    #expect(throws: TokenError.invalid(.headerTooLong)) {
      try template.value(for: ["sub": .string(String(repeating: "é", count: 171))])
    }
  }

  @Test func `every byte can be decoded back, and none can end the line`() throws {
    let text = String(String.UnicodeScalarView((0..<0x250).compactMap { Unicode.Scalar(UInt32($0)) }))
    for scalar in text.unicodeScalars {
      let value = try #require(try HeaderTemplate("{claim.x}").value(for: ["x": .string(String(scalar))]))
      #expect(value.utf8.allSatisfy { (0x21...0x7e).contains($0) })
      #expect(percentDecoded(value) == Array(String(scalar).utf8))
    }
  }

  @Test(
    arguments: [
      ("", .empty), ("{", .unbalancedBrace), ("}", .unbalancedBrace), ("a}b", .unbalancedBrace), ("{claim.sub", .unbalancedBrace),
      ("{claim.sub}}", .unbalancedBrace), ("{}", .unknownPlace), ("{sub}", .unknownPlace), ("{claim.}", .unknownPlace),
      ("{claims.sub}", .unknownPlace),
      ("{{{claim.sub}}}}", .unbalancedBrace), (String(repeating: "a", count: 1025), .tooLong), (" a", .unfitText),
      ("a ", .unfitText), ("a\r\nb", .unfitText), ("é", .unfitText),
      ("a\tb", .unfitText),
    ] as [(String, HeaderTemplate.SyntaxError)])
  func `a text that is no template is refused`(text: String, error: HeaderTemplate.SyntaxError) {
    #expect(throws: error) { try HeaderTemplate(text) }
  }

  private func percentDecoded(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%"), let high = rest.popFirst().flatMap(ASCII.hexDigit),
        let low = rest.popFirst().flatMap(ASCII.hexDigit)
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(high << 4 | low)
    }
    return bytes
  }
}
