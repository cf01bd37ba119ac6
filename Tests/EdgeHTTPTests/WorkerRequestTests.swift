import EdgeCore
import EdgeHTTP
import Testing

@Suite struct WorkerRequestTests {
  @Test func `a request is rebuilt with Host first and the edge's fields last`() {
    let request = workerRequest("Accept: */*\r\nHost: Chat.Example.com.:8443\r\nUser-Agent: t\r\n")
    let expected = """
      GET /ws?a=%zz HTTP/1.1
      Host: chat.example.com:8443
      Accept: */*
      User-Agent: t
      X-Forwarded-For: 203.0.113.9
      X-Real-IP: 203.0.113.9
      X-Forwarded-Proto: https
      X-Forwarded-Host: chat.example.com:8443
      X-Forwarded-Port: 8443
      Forwarded: for=203.0.113.9;host="chat.example.com:8443";proto=https
      X-Request-ID: r-1
      traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01
      X-Sluice-User: alice


      """
    #expect(text { request.serialize(into: &$0) } == expected.replacing("\n", with: "\r\n"))
  }

  @Test(
    arguments: [
      "Connection: keep-alive", "Keep-Alive: 5", "Proxy-Connection: x", "Proxy-Authorization: x", "Proxy-Foo: x", "Proxy: x",
      "TE: trailers", "Trailer: X", "Upgrade: h2c", "Upgrade: websocket", "HTTP2-Settings: x", "Transfer_Encoding: chunked",
      "Content_Length: 5", "connection: X-Custom", "CONNECTION:close", "Expect: 100-continue",
      "Content.Length: 5",
    ])
  func `RFC 9110 §7.6.1: what is about the client's connection ends at the edge`(line: String) {
    let request = workerRequest("Host: a\r\n\(line)\r\nX: 1\r\n")
    #expect(clientFields(of: request) == ["x"])
  }

  @Test func `RFC 9110 §7.6.1: what Connection names ends at the edge`() {
    let request = workerRequest(
      "Host: a\r\nConnection: X-One, close\r\nconnection: x-two\r\nX-One: 1\r\nX-TWO: 2\r\nX_Two: 2\r\nX: 1\r\n")
    #expect(clientFields(of: request) == ["x"])
  }

  @Test(
    arguments: [
      "X-Sluice-User", "x-sluice-user", "X_Sluice_User", "x_sluice-USER", "X.Sluice.User", "X-Other-Identity", "x_other_identity",
      "X-Forwarded-For", "X-Forwarded-Proto", "X_Forwarded_For", "X-Forwarded-Anything", "X-Forwarded", "X-Real-IP", "X_Real_IP",
      "Forwarded", "X-Request-ID", "X_Request_Id", "traceparent", "TraceParent", "tracestate", "X-Original-URL", "X_Rewrite_URL",
      "Sec-WebSocket-Key", "Sec_WebSocket_Extensions", "Sec-WebSocket-Protocol", "X-Client-Cert-Subject", "x_client_cert_verify",
      "X-Client-Cert.Fingerprint", "X-Client-Cert",
    ])
  func `what the edge says of a client, the client cannot say`(name: String) {
    for extra in ["", "Connection: \(name)\r\n", "Connection: close\r\n\(name): evil\r\n"] {
      let request = workerRequest("Host: a\r\n\(extra)\(name): evil\r\nX: 1\r\n")
      #expect(clientFields(of: request) == ["x"])
      #expect(!request.fields.contains { $0.value.contains("evil") })
      #expect(request.fields.all("X-Sluice-User") == ["alice"])
      #expect(request.fields.all("X-Forwarded-For") == ["203.0.113.9"])
      #expect(request.fields.all("Host") == ["a"])
    }
  }

  @Test func `names that are only like the edge's pass`() {
    let lines = "X-Sluice-Users: 1\r\nXSluiceUser: 1\r\nX_Custom: 1\r\nTraceparents: 1\r\nVia: 1\r\nOrigin: x\r\nCookie: a=b\r\n"
    #expect(
      clientFields(of: workerRequest("Host: a\r\n" + lines))
        == ["x-sluice-users", "xsluiceuser", "x_custom", "traceparents", "via", "origin", "cookie"])
  }

  @Test(
    arguments: [
      ("", "Content-Length", nil), ("Content-Length: 07\r\n", "Content-Length", "7"),
      ("Content-Length: 0\r\n", "Content-Length", "0"),
      ("Transfer-Encoding: CHUNKED\r\n", "Transfer-Encoding", "chunked"),
      ("Content-Length: 7\r\nConnection: Content-Length\r\n", "Content-Length", "7"),
      ("Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n", "Transfer-Encoding", "chunked"),
    ])
  func `framing is written anew from what was parsed`(lines: String, name: String, value: String?) {
    let request = workerRequest("Host: a\r\n\(lines)")
    #expect(request.fields.all(name) == (value.map { [$0] } ?? []))
    #expect(!request.fields.contains("Connection"))
  }

  @Test func `an expectation goes on only where the worker is to answer it`() {
    let head = head("Host: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n")
    #expect(!WorkerRequest(head, context: context()).fields.contains("Expect"))
    #expect(WorkerRequest(head, context: context(), forwardsExpectation: true).fields["Expect"] == "100-continue")
  }

  @Test func `an upgrade carries the edge's handshake and none of the client's`() {
    let head = head(
      "Host: a\r\nConnection: Upgrade, X-Sluice-User\r\nUpgrade: websocket\r\nSec-WebSocket-Key: client\r\n"
        + "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    let handshake: HTTPFields = ["Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "edge"]
    let fields = WorkerRequest(upgrading: head, context: context(), handshake: handshake).fields
    #expect(fields.all("Connection") == ["Upgrade"])
    #expect(fields.all("Upgrade") == ["websocket"])
    #expect(fields.all("Sec-WebSocket-Key") == ["edge"])
    #expect(fields.all("X-Sluice-User") == ["alice"])
    #expect(!fields.contains("Sec-WebSocket-Extensions"))
  }

  @Test func `an HTTP 1.0 request without Host gets an empty one`() throws {
    let head = try #require(requests(in: "GET / HTTP/1.0\r\n\r\n").heads.first)
    let fields = WorkerRequest(head, context: context()).fields
    #expect(fields.all("Host") == [""])
    #expect(!fields.contains("X-Forwarded-Host"))
    #expect(fields["Forwarded"] == "for=203.0.113.9;proto=https")
  }
}

@Suite struct ForwardingTests {
  @Test(
    arguments: [
      (["2001:db8::1"], "2001:db8::1", "for=\"[2001:db8::1]\";host=a;proto=https"),
      (["192.0.2.1", "2001:db8::2"], "192.0.2.1, 2001:db8::2", "for=192.0.2.1;host=a;proto=https, for=\"[2001:db8::2]\""),
      ([], nil, "for=unknown;host=a;proto=https"),
    ] as [([String], String?, String)])
  func `RFC 7239 §4, §6: each hop is written in its form`(chain: [String], forwardedFor: String?, forwarded: String) {
    let fields = WorkerRequest(head("Host: a\r\n"), context: context(chain: chain)).fields
    #expect(fields["X-Forwarded-For"] == forwardedFor)
    #expect(fields["X-Real-IP"] == chain.first)
    #expect(fields["Forwarded"] == forwarded)
  }

  @Test(
    arguments: [
      ("198.51.100.1", "203.0.113.1", ["198.51.100.1"], true), ("198.51.100.1", nil, ["198.51.100.1"], false),
      ("10.0.0.1", "203.0.113.1", ["203.0.113.1", "10.0.0.1"], false),
      ("10.0.0.1", "1.1.1.1, 203.0.113.1", ["203.0.113.1", "10.0.0.1"], false),
      ("10.0.0.1", "1.1.1.1, 203.0.113.1, 10.0.0.2", ["203.0.113.1", "10.0.0.2", "10.0.0.1"], false),
      ("10.0.0.1", "203.0.113.1, unknown, 10.0.0.2", ["10.0.0.2", "10.0.0.1"], false),
      ("10.0.0.1", "[2001:db8::1]:99, 10.0.0.2:1234", ["2001:db8::1", "10.0.0.2", "10.0.0.1"], false),
      ("10.0.0.1", "", ["10.0.0.1"], false), ("10.0.0.1", nil, ["10.0.0.1"], false),
      ("10.0.0.1", "evil\"x, 203.0.113.1", ["203.0.113.1", "10.0.0.1"], false),
    ] as [(String, String?, [String], Bool)])
  func `a forwarded address counts only as far as trusted proxies vouch for it`(
    peer: String, forwardedFor: String?, chain: [String], isSpoofed: Bool
  ) throws {
    var fields: HTTPFields = ["X-Forwarded-Proto": "http, HTTPS"]
    if let forwardedFor { fields.add("x-forwarded-for", forwardedFor) }
    let found = ClientChain(
      fields: fields, peer: .ip(try #require(IPAddress(peer)), port: 1),
      trustedProxies: TrustedProxies(networks: [try #require(CIDR("10.0.0.0/8"))], includesUnixPeers: true))
    #expect(found.addresses.map(\.description) == chain)
    #expect(found.client?.description == chain.first)
    #expect(found.isSpoofed == isSpoofed)
    #expect(found.scheme == (peer.hasPrefix("10.") ? .https : nil))
  }

  @Test(
    arguments: [
      ("for=203.0.113.1", ["203.0.113.1", "10.0.0.1"], nil),
      ("For=\"203.0.113.1:4711\";Proto=HTTPS", ["203.0.113.1", "10.0.0.1"], .https),
      ("for=\"[2001:db8::7]:47011\";by=10.0.0.9; proto=http", ["2001:db8::7", "10.0.0.1"], .http),
      ("for=1.1.1.1, for=203.0.113.1;proto=http, for=10.0.0.2;proto=https", ["203.0.113.1", "10.0.0.2", "10.0.0.1"], .https),
      ("for=_hidden", ["10.0.0.1"], nil), ("for=unknown", ["10.0.0.1"], nil), ("proto=https", ["10.0.0.1"], .https),
      ("for=1.1.1.1;for=203.0.113.1", ["10.0.0.1"], nil), ("for=\"203.0.113.1", ["10.0.0.1"], nil), ("for=\"", ["10.0.0.1"], nil),
      ("for=\"1.1.1.1, for=203.0.113.1\"", ["10.0.0.1"], nil), ("for = 203.0.113.1", ["10.0.0.1"], nil),
    ] as [(String, [String], HTTPScheme?)])
  func `a trusted proxy may say it by Forwarded`(value: String, chain: [String], scheme: HTTPScheme?) throws {
    let proxies = TrustedProxies(networks: [try #require(CIDR("10.0.0.0/8"))], includesUnixPeers: false)
    let peer = PeerAddress.ip(try #require(IPAddress("10.0.0.1")), port: 1)
    let found = ClientChain(fields: ["Forwarded": value], peer: peer, trustedProxies: proxies)
    #expect(found.addresses.map(\.description) == chain)
    #expect(found.scheme == scheme)
    let both = ClientChain(fields: ["Forwarded": value, "X-Forwarded-For": "192.0.2.9"], peer: peer, trustedProxies: proxies)
    #expect(both.client?.description == "192.0.2.9")
  }

  @Test(
    arguments: [
      (true, "203.0.113.1", ["203.0.113.1"], false),
      (true, "1.1.1.1, 203.0.113.1, 10.0.0.2", ["203.0.113.1", "10.0.0.2"], false),
      (true, "unknown", [], false), (true, nil, [], false), (false, "203.0.113.1", [], true), (false, nil, [], false),
    ] as [(Bool, String?, [String], Bool)])
  func `a peer on a Unix socket is believed where the setting says so`(
    trusted: Bool, forwardedFor: String?, chain: [String], isSpoofed: Bool
  ) throws {
    var fields: HTTPFields = ["X-Forwarded-Proto": "https"]
    if let forwardedFor { fields.add("X-Forwarded-For", forwardedFor) }
    let found = ClientChain(
      fields: fields, peer: .unix,
      trustedProxies: TrustedProxies(networks: [try #require(CIDR("10.0.0.0/8"))], includesUnixPeers: trusted))
    #expect(found.addresses.map(\.description) == chain)
    #expect(found.isSpoofed == isSpoofed)
    #expect(found.scheme == (trusted ? .https : nil))
  }

  @Test(
    arguments: [
      ("a-B_9.z", "a-B_9.z"), (String(repeating: "x", count: 128), String(repeating: "x", count: 128)),
      (String(repeating: "x", count: 129), nil), ("", nil), ("a b", nil), ("a~b", nil), ("a\"b", nil), ("é", nil),
    ])
  func `a client's request identifier is taken if it is harmless`(value: String, expected: String?) {
    #expect(head("Host: a\r\nX-Request-ID: \(value)\r\n").requestID == expected)
    #expect(head("Host: a\r\nX-Request-ID: \(value)\r\nX-Request-ID: b\r\n").requestID == nil)
  }

  @Test func `trace state goes on with its trace only`() throws {
    let traced = head("Host: a\r\ntraceparent: 00-\(traceID)-00000000000000ff-00\r\ntracestate: v=1\r\n")
    #expect(WorkerRequest(traced, context: context()).fields["tracestate"] == nil)
    let parent = try #require(traced.traceParent)
    let fields = WorkerRequest(traced, context: context(traceParent: parent)).fields
    #expect(fields["tracestate"] == "v=1")
    #expect(fields.all("traceparent") == ["00-\(traceID)-00000000000000ff-00"])
  }

  @Test(
    arguments: [
      ("00-\(traceID)-00f067aa0ba902b7-01", "00-\(traceID)-00f067aa0ba902b7-01"),
      ("cc-\(traceID)-00f067aa0ba902b7-01-what-else", "00-\(traceID)-00f067aa0ba902b7-01"),
      ("cc-\(traceID)-00f067aa0ba902b7-01", "00-\(traceID)-00f067aa0ba902b7-01"),
      ("00-\(traceID)-00f067aa0ba902b7-01-x", nil), ("ff-\(traceID)-00f067aa0ba902b7-01", nil),
      ("00-\(traceID)-0000000000000000-01", nil), ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", nil),
      ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", nil), ("00-\(traceID)-00f067aa0ba902b7", nil),
      ("00-\(traceID)-00f067aa0ba902b7-1", nil), ("0-\(traceID)-00f067aa0ba902b7-01", nil), ("", nil), ("----", nil),
    ])
  func `W3C Trace Context §3.2: a trace goes on only if it is well formed`(value: String, expected: String?) {
    #expect(TraceParent(parsing: value)?.description == expected)
  }

  @Test func `a new trace has identifiers that are not zero`() {
    #expect(TraceParent(random: (0, 0, 0)).description == "00-00000000000000000000000000000001-0000000000000001-01")
    #expect(
      TraceParent(random: (.max, 1, 2), isSampled: false).description == "00-ffffffffffffffff0000000000000001-0000000000000002-00"
    )
  }
}

private let traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

private func head(_ lines: String) -> RequestHead {
  requests(in: "GET /%77s?a=%zz HTTP/1.1\r\n\(lines)\r\n").heads[0]
}

private func workerRequest(_ lines: String) -> WorkerRequest {
  WorkerRequest(head(lines), context: context())
}

private func context(chain: [String] = ["203.0.113.9"], traceParent: TraceParent? = nil) -> ForwardingContext {
  ForwardingContext(
    clientChain: chain.compactMap { IPAddress($0) }, scheme: .https, port: 8443, requestID: "r-1",
    traceParent: traceParent ?? TraceParent(random: (0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef)),
    identityFields: [HTTPField(name: "X-Sluice-User", value: "alice")], identityNames: ["X-Other-Identity"])
}

/// The lower-case names of the fields that are not the edge's own.
private func clientFields(of request: WorkerRequest) -> [String] {
  let own: Set = [
    "host", "x-forwarded-for", "x-real-ip", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded",
    "x-request-id",
    "traceparent", "x-sluice-user",
  ]
  return request.fields.map { $0.name.lowercased() }.filter { !own.contains($0) }
}
