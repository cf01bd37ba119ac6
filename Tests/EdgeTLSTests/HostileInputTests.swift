import COpenSSL
import EdgeCore
import Testing

@testable import EdgeTLS

struct HostileInputTests {
  private func server(minVersion: TLSVersion = .tls12) throws -> Endpoint {
    let scratch = try TLSScratch()
    return Endpoint(session: try TLSSession(server: Fixture.server(minVersion: minVersion), scratch: scratch), scratch: scratch)
  }

  @Test(arguments: ["GET / HTTP/1.1", "POST /x HTTP/1.1", "HEAD / HTTP/1.0", "PUT / HTTP/1.1"])
  func `plain HTTP on a TLS port is named as such`(request: String) throws {
    let server = try server()
    server.receive(Array("\(request)\r\nHost: a\r\n\r\n".utf8))
    #expect(server.failure == .plainHTTP)
  }

  @Test(arguments: [
    Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), [UInt8](repeating: 0, count: 64), pattern(4_096), [0x80, 0x2e, 1, 0, 2],
  ])
  func `what is no TLS ends the session at once`(bytes: [UInt8]) throws {
    let server = try server()
    server.receive(bytes)
    if server.failure == nil { server.receiveEnd() }
    #expect(server.failure != nil)
    #expect(server.failure != .resources)
  }

  @Test func `a client that is too old is refused by version`() throws {
    let pair = try Pair(server: Fixture.server(minVersion: .tls13), client: Fixture.client(.tls12 ... .tls12))
    #expect(throws: TLSError.version) { try pair.handshake() }
    #expect(pair.client.failure == .alert(70), "an alert tells the client why")
  }

  @Test func `a client that only knows other ciphers is refused`() throws {
    let server = try server()
    server.receive(clientHello(suites: [0x00, 0x2f]))
    #expect(server.failure == .noCommonCipher)
  }

  @Test(arguments: TLSVersion.allCases)
  func `a changed byte in a record ends the session`(version: TLSVersion) throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.client(version...version))
    _ = try pair.handshake()
    pair.client.send([1, 2, 3, 4])
    var ciphertext = pair.client.takeOutput()
    ciphertext[ciphertext.count - 1] ^= 1
    pair.server.receive(ciphertext)
    #expect(pair.server.failure == .badRecord)
    #expect(pair.server.received.isEmpty)
    #expect(!pair.server.send([1]))
  }

  @Test func `a failed session leaves none of its bytes to the next`() throws {
    let context = try Fixture.server()
    let scratch = try TLSScratch()
    let first = Endpoint(session: try TLSSession(server: context, scratch: scratch), scratch: scratch)
    first.receive(Array("GET / HTTP/1.1\r\n\r\n".utf8) + pattern(1_000))
    #expect(first.failure == .plainHTTP)
    scratch.clearOutput()
    let second = Endpoint(session: try TLSSession(server: context, scratch: scratch), scratch: scratch)
    second.step()
    #expect(second.failure == nil)
    #expect(scratch.unreadCount == 0 && scratch.outputCount == 0)
  }

  @Test func `an error that something else left on the thread does not end a session`() throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.anyone)
    _ = try pair.handshake()
    pair.client.send([1, 2, 3])
    let ciphertext = pair.client.takeOutput()
    #expect(PEM_read_bio_X509(nil, nil, nil, nil) == nil && ERR_peek_error() != 0)
    pair.server.receive(Array(ciphertext.dropLast(4)))
    pair.server.receive(ciphertext.suffix(4))
    #expect(pair.server.received == [1, 2, 3] && pair.server.failure == nil)
    ERR_clear_error()
  }

  @Test func `a handshake without end is cut off`() throws {
    let server = try server()
    // A ClientHello that announces 120,000 bytes, in records of 16,000.
    var message: [UInt8] = [1, 0x01, 0xd4, 0xc0, 3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0x13, 0x01, 1, 0]
    message += [UInt8](repeating: 0, count: 100_000)
    var sent = 0
    while server.failure == nil && sent < message.count {
      let part = message[sent..<min(sent + 16_000, message.count)]
      server.receive([22, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 0xff)] + part)
      sent += part.count
    }
    #expect(server.failure == .handshakeTooLarge)
    #expect(sent <= TLSSession.maxHandshakeBytes + 16_000)
  }

  @Test func `renegotiation is refused, and the session goes on`() throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.client(.tls12 ... .tls12))
    _ = try pair.handshake()
    pair.client.session.requestRenegotiation()
    pair.server.receive(pair.client.takeOutput())
    let answer = pair.server.takeOutput()
    #expect(answer.first == 21, "an alert, not a ServerHello")
    #expect(pair.server.failure == nil)
    pair.server.send([1, 2, 3])
    #expect(!pair.server.takeOutput().isEmpty)
  }

  @Test func `a session survives key updates`() throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.client(.tls13 ... .tls13))
    _ = try pair.handshake()
    for round in 0..<20 {
      pair.client.session.requestKeyUpdate()
      pair.client.send([UInt8(round)])
      pair.pump()
      pair.server.send([UInt8(round)])
      pair.pump()
    }
    #expect(pair.server.received == Array(0..<20) && pair.client.received == Array(0..<20))
  }

  @Test func `every one-byte change of a ClientHello ends cleanly`() throws {
    let scratch = try TLSScratch()
    let client = Endpoint(
      session: try TLSSession(client: Fixture.anyone, scratch: scratch, serverName: "localhost"), scratch: scratch)
    client.step()
    let hello = client.takeOutput()
    let context = try Fixture.server(protocols: ["http/1.1"])
    let shared = try TLSScratch()
    for index in hello.indices {
      var bytes = hello
      bytes[index] ^= 0xff
      let server = Endpoint(session: try TLSSession(server: context, scratch: shared), scratch: shared)
      server.receive(bytes)
      if server.failure == nil { server.receiveEnd() }
      #expect(server.info == nil && server.failure != nil && server.failure != .resources)
      shared.clearOutput()
    }
  }

  /// A TLS 1.2 ClientHello without extensions.
  private func clientHello(suites: [UInt8]) -> [UInt8] {
    let body: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, UInt8(suites.count)] + suites + [1, 0]
    let message: [UInt8] = [1, 0, 0, UInt8(body.count)] + body
    return [22, 3, 1, 0, UInt8(message.count)] + message
  }
}
