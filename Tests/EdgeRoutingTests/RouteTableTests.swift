import EdgeRouting
import Testing

@Suite struct RoutePatternTests {
  @Test(
    arguments: [
      ("*", "any.example", true), ("*", nil, true),
      ("chat.example.com", "chat.example.com", true), ("CHAT.example.com", "chat.example.com", true),
      ("chat.example.com", "xchat.example.com", false), ("chat.example.com", nil, false), ("chat.example.com", "", false),
      ("*.example.com", "a.example.com", true), ("*.example.com", "a.b.example.com", true),
      ("*.example.com", "example.com", false),
      ("*.example.com", ".example.com", false), ("*.example.com", "aexample.com", false), ("*.example.com", nil, false),
      ("*.example.com", "a.example.com.evil", false), ("[::1]", "[::1]", true), ("Chat.Example.com.", "chat.example.com", true),
    ] as [(String, String?, Bool)])
  func `a host pattern covers whole names only`(pattern: String, host: String?, expected: Bool) throws {
    #expect(try #require(HostPattern(pattern)).matches(host) == expected)
  }

  @Test(arguments: [
    "", ".", "a..", ".a", "a..b", "*.", "**.a", "a.*", "*a", "a b", "a/b", "a:1", "é", "[", "[]", "[x]", "[1.2.3.4]", "a\n",
  ])
  func `a text that is no host pattern is refused`(text: String) {
    #expect(HostPattern(text) == nil)
  }

  @Test(arguments: ["*", "chat.example.com", "*.example.com", "[2001:db8::1]"])
  func `a host pattern is written as it is read`(text: String) throws {
    #expect(try #require(HostPattern(text)).description == text)
  }

  @Test(arguments: ["/", "/ws", "/ws/", "=/ws", "/caf%C3%A9", "/a,b=c/@d"])
  func `a path pattern is written as it is read`(text: String) throws {
    #expect(try #require(PathPattern(text)).description == text)
  }

  @Test(arguments: [
    ("/ws", "/ws", true), ("/ws", "/ws/", true), ("/ws", "/ws/room", true), ("/ws", "/wsx", false), ("/ws", "/w", false),
    ("/ws", "/WS", false), ("/ws", "/", false), ("/", "/", true), ("/", "/anything/below", true),
    ("/ws/", "/ws", false), ("/ws/", "/ws/", true), ("/ws/", "/ws/a", true),
    ("=/ws", "/ws", true), ("=/ws", "/ws/", false), ("=/ws", "/ws/a", false), ("=/", "/", true), ("=/", "/a", false),
  ])
  func `a path prefix covers whole segments`(pattern: String, path: String, expected: Bool) throws {
    #expect(try #require(PathPattern(pattern)).matches(path) == expected)
  }

  @Test(arguments: [
    "", "=", "ws", "=ws", "//", "/a//b", "/./a", "/a/..", "/a?b", "/a#b", "/a\\b", "/a b", "/é", "/a\n", "/%61", "/%2f",
    "/%c3%a9", "/%C3", "/a{}",
  ])
  func `a path that no request can have is refused`(text: String) {
    #expect(PathPattern(text) == nil)
  }
}

@Suite struct RouteTableTests {
  private static let table = Result {
    try RouteTable(
      [
        ("*", "/"), ("*", "/ws"), ("*.example.com", "/ws"), ("*.eu.example.com", "/ws"), ("chat.example.com", "/ws"),
        ("chat.example.com", "/ws/room"), ("chat.example.com", "=/ws"), ("*", "=/only"),
      ].map { RoutePattern(host: try #require(HostPattern($0.0)), path: try #require(PathPattern($0.1))) })
  }

  @Test(
    arguments: [
      ("chat.example.com", "/ws", 6), ("chat.example.com", "/ws/", 4), ("chat.example.com", "/ws/x", 4),
      ("chat.example.com", "/ws/room", 5), ("chat.example.com", "/ws/room/1", 5), ("chat.example.com", "/ws/roomy", 4),
      ("chat.example.com", "/other", 0), ("chat.example.com", "/only", 7), ("other.example.com", "/ws", 2),
      ("a.eu.example.com", "/ws/x", 3), ("elsewhere.net", "/ws", 1), ("elsewhere.net", "/", 0), (nil, "/ws", 1), (nil, "/x", 0),
    ] as [(String?, String, Int)])
  func `the most specific host wins, then the most specific path`(host: String?, path: String, expected: Int) throws {
    #expect(try Self.table.get().match(host: host, path: path) == expected)
  }

  @Test func `no match is nil`() throws {
    let table = try RouteTable([.init(host: .exact("a.example"), path: .prefix("/ws"))])
    #expect(table.match(host: "a.example", path: "/x") == nil)
    #expect(table.match(host: "b.example", path: "/ws") == nil)
    #expect(try RouteTable([]).match(host: "a.example", path: "/") == nil)
  }

  @Test func `a route that could never be chosen is refused`() {
    let route = RoutePattern(host: .any, path: .prefix("/ws"))
    #expect { try RouteTable([route, .init(host: .any, path: .exact("/ws")), route]) } throws: { error in
      let duplicate = error as? RouteTable.DuplicateRoute
      return duplicate?.first == 0 && duplicate?.second == 2
    }
  }
}
