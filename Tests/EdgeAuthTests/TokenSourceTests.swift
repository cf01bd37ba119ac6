import EdgeAuth
import Testing

@Suite struct BearerSubprotocolTests {
  @Test(arguments: [
    ("bearer.a.b.c", true), ("Bearer.a", true), ("BEARER.", true), ("bearer", false), ("bearer-a", false),
    ("chat.bearer.a", false),
    ("", false),
  ])
  func `a name that begins with bearer and a dot bears a token, in any case`(name: String, expected: Bool) {
    #expect(TokenSource.isBearerSubprotocol(name) == expected)
  }
}

@Suite struct TokenSourceTests {
  @Test(
    arguments: [
      ("header", .header), ("cookie:session", .cookie(name: "session")), ("subprotocol", .subprotocol),
      ("query:token", .query(name: "token")),
      ("first_message", .firstMessage), ("cookie:__Host-a", .cookie(name: "__Host-a")), ("", nil), ("Header", nil),
      ("header:x", nil),
      ("cookie", nil), ("cookie:", nil), ("cookie:a b", nil), ("cookie:a=b", nil), ("cookie:a:b", nil), ("query:", nil),
      ("query:a&b", nil),
      ("body", nil),
    ] as [(String, TokenSource?)])
  func `a source is written in one way`(text: String, source: TokenSource?) {
    #expect(TokenSource(text) == source)
    if let source { #expect(source.description == text) }
  }

  @Test(
    arguments: [
      (["Bearer abc"], "abc"), (["bearer abc"], "abc"), (["BEARER   a-._~+/=="], "a-._~+/=="), ([], nil), (["Basic YTpi"], nil),
      (["Bearerabc"], nil), (["Bearer-x abc"], nil), (["DPoP abc"], nil),
    ] as [([String], String?)])
  func `the header is read where its scheme is Bearer`(values: [String], token: String?) throws {
    #expect(try TokenCarriers(authorization: values).token(from: [.header])?.text == token)
  }

  @Test(arguments: [
    ["Bearer a", "Bearer b"], ["Bearer a", "Basic b"], ["Bearer"], ["Bearer "], ["Bearer a b"], ["Bearer a,b"], ["Bearer \"a\""],
    ["Bearer =a"],
    ["Bearer a=b"], ["Bearer a\tb"], ["Bearer =="], ["Bearer a, Bearer b"], ["Bearer \u{e9}"], ["Bearer a "],
  ])
  func `a header that could be read in two ways is refused`(values: [String]) {
    #expect { try TokenCarriers(authorization: values).token(from: [.header]) } throws: {
      ($0 as? TokenError)?.word == "token_invalid"
    }
  }

  @Test(
    arguments: [
      (["session=abc"], "abc"), (["a=1; session=abc; b=2"], "abc"), (["a=1;session=abc"], "abc"),
      (["a=1", "session=abc"], "abc"),
      (["session=\"abc\""], "abc"), ([" session = abc ;x"], "abc"), (["session=a=="], "a=="), (["Session=abc"], nil),
      (["xsession=abc"], nil),
      (["session"], nil), (["a=session=abc"], nil), ([], nil), ([";;; ;"], nil),
    ] as [([String], String?)])
  func `the cookie of the name is found`(fields: [String], token: String?) throws {
    #expect(try TokenCarriers(cookies: fields).token(from: [.cookie(name: "session")])?.text == token)
  }

  @Test(arguments: [
    ["session=a; session=a"], ["session=a", "session=b"], ["session="], ["session=\"\""], ["session=a b"], ["session=a%20b"],
    ["session=\"a"],
  ])
  func `a cookie that occurs twice or cannot be a token is refused`(fields: [String]) {
    #expect { try TokenCarriers(cookies: fields).token(from: [.cookie(name: "session")]) } throws: {
      ($0 as? TokenError)?.word == "token_invalid"
    }
  }

  @Test(arguments: [
    (["a=1; session=abc; b=2"], ["a=1; b=2"]), (["session=abc"], []), (["session=a; session=b", "c=3"], ["c=3"]),
    (["a=1;b=2"], ["a=1;b=2"]),
    (["a=1;session=x;b=\"2\""], ["a=1; b=\"2\""]), ([" session =x; y"], ["y"]), (["session; a"], ["session; a"]),
  ])
  func `removing the cookie leaves the others`(fields: [String], rest: [String]) {
    var carriers = TokenCarriers(cookies: fields)
    carriers.removeToken(in: .cookie(name: "session"))
    #expect(carriers.cookies == rest)
  }

  @Test func `a subprotocol carries the token beside the real one, and is taken away`() throws {
    var carriers = TokenCarriers(subprotocols: ["chat.v1, bearer.a.b.c", " chat.v2 "])
    #expect(try carriers.token(from: [.subprotocol])?.text == "a.b.c")
    carriers.removeToken(in: .subprotocol)
    #expect(carriers.subprotocols == ["chat.v1", "chat.v2"])
    var alone = TokenCarriers(subprotocols: ["bearer.x"])
    alone.removeToken(in: .subprotocol)
    #expect(alone.subprotocols == [])
    #expect(throws: TokenError.invalid(.repeated)) {
      try TokenCarriers(subprotocols: ["bearer.a", "bearer.b"]).token(from: [.subprotocol])
    }
    #expect(try TokenCarriers(subprotocols: ["Bearer.a, bearer"]).token(from: [.subprotocol])?.text == "a")
    #expect(try TokenCarriers(subprotocols: ["bearer, chat.bearer.a"]).token(from: [.subprotocol]) == nil)
  }

  @Test(
    arguments: [
      ("token=abc", "abc", nil), ("a=1&token=abc&b=2", "abc", "a=1&b=2"), ("%74oken=abc&a", "abc", "a"),
      ("a=token", nil, "a=token"),
      ("", nil, ""), ("&&", nil, "&&"), ("tokens=1", nil, "tokens=1"), ("token%3d=1", nil, "token%3d=1"),
    ] as [(String, String?, String?)])
  func `a query parameter carries the token, however its name is spelled, and is taken away`(
    query: String, token: String?, rest: String?
  ) throws {
    var carriers = TokenCarriers(query: query)
    #expect(try carriers.token(from: [.query(name: "token")])?.text == token)
    carriers.removeToken(in: .query(name: "token"))
    #expect(carriers.query == rest)
  }

  @Test(arguments: ["token=a&token=b", "token=a&tok%65n=b", "token=", "token", "token=a%2e", "token=a;b"])
  func `a query parameter that occurs twice or cannot be a token is refused`(query: String) {
    #expect { try TokenCarriers(query: query).token(from: [.query(name: "token")]) } throws: {
      ($0 as? TokenError)?.word == "token_invalid"
    }
  }

  @Test func `the first source that has a token wins`() throws {
    let carriers = TokenCarriers(authorization: ["Basic x"], cookies: ["s=fromCookie"], query: "t=fromQuery")
    let found = try carriers.token(from: [.header, .firstMessage, .query(name: "t"), .cookie(name: "s")])
    #expect(found?.text == "fromQuery")
    #expect(found?.source == .query(name: "t"))
    #expect(try carriers.token(from: [.header]) == nil)
    #expect(try carriers.token(from: []) == nil)
  }

  @Test func `removing from the header takes bearer credentials only`() {
    var carriers = TokenCarriers(authorization: ["Basic x", "bearer y"])
    carriers.removeToken(in: .header)
    #expect(carriers.authorization == ["Basic x"])
  }
}
