import EdgeHTTP
import Testing

@Suite struct RequestTargetTests {
  @Test(
    arguments: [
      ("/", "/"), ("/ws", "/ws"), ("/ws/", "/ws/"), ("/%77s", "/ws"), ("/%7e%2D%2e%5fa", "/~-._a"), ("/a%2Eb", "/a.b"),
      ("/caf%c3%a9", "/caf%C3%A9"), ("/%2c%2C", "/%2C%2C"), ("/a=1,2", "/a=1,2"), ("/!$&'()*+,=:@", "/!$&'()*+,=:@"),
      ("/%20%22%25", "/%20%22%25"), ("/%252e%252e/", "/%252e%252e/"), ("/...", "/..."), ("/.a/..b", "/.a/..b"),
      ("/a./b..", "/a./b.."), ("/.well-known/x", "/.well-known/x"), ("/%e2%82%ac", "/%E2%82%AC"), ("/%41%5A%30", "/AZ0"),
    ])
  func `a path has one normal form, which is its own normal form`(given: String, normal: String) throws {
    let target = try RequestTarget(parsing: given)
    #expect(target.path == normal)
    #expect(try RequestTarget(parsing: target.path) == target)
  }

  @Test(
    arguments: [
      ("", .targetForm), ("ws", .targetForm), ("*", .targetForm),
      ("//", .pathEmptySegment), ("//ws", .pathEmptySegment), ("/ws//", .pathEmptySegment), ("/a//b", .pathEmptySegment),
      ("/.", .pathDotSegment), ("/..", .pathDotSegment), ("/./a", .pathDotSegment), ("/a/../b", .pathDotSegment),
      ("/%2e", .pathDotSegment), ("/%2E%2e/a", .pathDotSegment), ("/.%2e", .pathDotSegment), ("/a/..;x=1/b", .pathParameter),
      ("/.;", .pathParameter), ("/..%3b/b", .pathParameter), ("/ws;a", .pathParameter), ("/a/..", .pathDotSegment),
      ("/a%2fb", .pathEncodedSeparator), ("/a%2Fb", .pathEncodedSeparator), ("/a%5cb", .pathEncodedSeparator),
      ("/..%2f", .pathEncodedSeparator), ("/%5C", .pathEncodedSeparator),
      ("/%00", .pathEncodedControl), ("/a%0d%0aX:%20y", .pathEncodedControl), ("/%7f", .pathEncodedControl),
      ("/%1F", .pathEncodedControl), ("/%09", .pathEncodedControl),
      ("/%", .pathEscape), ("/%4", .pathEscape), ("/%zz", .pathEscape), ("/%%20", .pathEscape), ("/%4?1", .pathEscape),
      ("/%c0%af", .pathEscape), ("/%c0%ae%c0%ae/", .pathEscape), ("/%ff", .pathEscape), ("/%ed%a0%80", .pathEscape),
      ("/%c3", .pathEscape), ("/%c3a%a9", .pathEscape), ("/%u0077", .pathEscape),
      ("/a\\b", .pathCharacter), ("/\\", .pathCharacter), ("/a b", .pathCharacter), ("/é", .pathCharacter),
      ("/\"", .pathCharacter), ("/<a>", .pathCharacter), ("/{a}", .pathCharacter), ("/a|b", .pathCharacter),
      ("/^", .pathCharacter), ("/`", .pathCharacter), ("/[a]", .pathCharacter), ("/\u{0}", .pathCharacter),
      ("/a#", .fragment), ("/a?b#c", .fragment), ("/?a b", .queryCharacter), ("/?é", .queryCharacter),
      ("/?\u{7f}", .queryCharacter), ("/?\r\n", .queryCharacter),
    ] as [(String, HTTPParseError)])
  func `what could be read as another path is refused`(given: String, expected: HTTPParseError) {
    #expect(throws: expected) { try RequestTarget(parsing: given) }
  }

  @Test(arguments: [("/a?", ""), ("/a?b=c&d", "b=c&d"), ("/a??b/../c", "?b/../c"), ("/a?%zz%2f{}|\\\"", "%zz%2f{}|\\\"")])
  func `a query is passed through unchanged`(given: String, query: String) throws {
    let target = try RequestTarget(parsing: given)
    #expect(target.query == query)
    #expect(target.description == given)
  }

  @Test func `a query can be replaced, and taken away`() throws {
    let target = try RequestTarget(parsing: "/ws?token=abc&room=1")
    #expect(target.withQuery("room=1").description == "/ws?room=1")
    #expect(target.withQuery(nil).description == "/ws")
  }
}
