import COpenSSL
import EdgeCore
import Testing

@testable import EdgeTLS

struct SessionTests {
  @Test(arguments: TLSVersion.allCases)
  func `both sides agree and 1 MiB passes intact each way`(version: TLSVersion) throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.client(version...version))
    let (client, server) = try pair.handshake()
    #expect(client.version == version && server.version == version)
    #expect(client.cipher == server.cipher && !server.isResumed)
    let bytes = pattern(1_048_576)
    pair.client.send(bytes)
    pair.server.send(bytes.reversed())
    pair.pump()
    #expect(pair.server.received == bytes)
    #expect(pair.client.received == bytes.reversed())
  }

  @Test(arguments: TLSVersion.allCases)
  func `a session does not care where its input is split`(version: TLSVersion) throws {
    for chunkBytes in [1, 2, 3, 5, 6, 17, 100, 1_000] {
      let pair = try Pair(server: Fixture.server(), client: Fixture.client(version...version))
      pair.chunkBytes = chunkBytes
      _ = try pair.handshake()
      pair.client.send(pattern(3_000))
      pair.server.send(pattern(20_000))
      pair.client.session.closeNotify()
      pair.pump()
      #expect(pair.server.received == pattern(3_000))
      #expect(pair.client.received == pattern(20_000))
      #expect(pair.server.isClosed && !pair.client.isClosed)
    }
  }

  @Test func `data that follows the handshake in the same input is there to read`() throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.client(.tls13 ... .tls13))
    pair.client.step()
    pair.server.receive(pair.client.takeOutput())
    pair.client.receive(pair.server.takeOutput())
    pair.client.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
    pair.server.receive(pair.client.takeOutput())
    #expect(pair.server.received == Array("GET / HTTP/1.1\r\n\r\n".utf8))
  }

  @Test func `a small plaintext buffer loses nothing`() throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.anyone)
    _ = try pair.handshake()
    pair.client.send(pattern(40_000))
    let ciphertext = pair.client.takeOutput()
    pair.server.scratch.input.copyBytes(from: ciphertext)
    pair.server.scratch.offer(count: ciphertext.count)
    let small = UnsafeMutableRawBufferPointer.allocate(byteCount: 777, alignment: 1)
    defer { small.deallocate() }
    var received: [UInt8] = []
    while case .bytes(let count) = pair.server.session.read(into: small) { received += small[..<count] }
    #expect(received == pattern(40_000))
  }

  @Test(arguments: TLSVersion.allCases)
  func `an open session holds nothing of its key exchange`(version: TLSVersion) throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.client(version...version))
    _ = try pair.handshake()
    for ssl in [pair.server.session.ssl, pair.client.session.ssl] {
      for whose in [SSL_CTRL_GET_TMP_KEY, SSL_CTRL_GET_PEER_TMP_KEY] {
        var key: OpaquePointer?
        guard SSL_ctrl(ssl, whose, 0, &key) == 1 else { continue }
        defer { EVP_PKEY_free(key) }
        var bytes = [UInt8](repeating: 0, count: 133)
        var count = bytes.count
        #expect(EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 0)
      }
    }
    pair.client.send([1, 2, 3])
    pair.pump()
    #expect(pair.server.received == [1, 2, 3])
  }

  @Test func `sessions that share a scratch keep apart`() throws {
    let context = try Fixture.server()
    let shared = try TLSScratch()
    var servers: [Endpoint] = []
    var clients: [Endpoint] = []
    for _ in 0..<5 {
      servers.append(Endpoint(session: try TLSSession(server: context, scratch: shared), scratch: shared))
      let scratch = try TLSScratch()
      clients.append(Endpoint(session: try TLSSession(client: Fixture.anyone, scratch: scratch), scratch: scratch))
    }
    for client in clients { client.step() }
    for _ in 0..<3 {
      for (client, server) in zip(clients, servers) {
        server.receive(client.takeOutput(), chunkBytes: 100)
        client.receive(server.takeOutput())
      }
    }
    for (index, client) in clients.enumerated() { client.send(pattern(5_000 + index)) }
    for part in 0..<2 {
      for (index, client) in clients.enumerated() {
        let ciphertext = client.scratch.outputBytes
        servers[index].receive(Array(part == 0 ? ciphertext.prefix(2_000) : ciphertext.dropFirst(2_000)))
      }
    }
    for (index, server) in servers.enumerated() { #expect(server.received == pattern(5_000 + index)) }
  }

  @Test func `a close_notify is a close, an end of stream without one is truncation`() throws {
    let closing = try Pair(server: Fixture.server(), client: Fixture.anyone)
    _ = try closing.handshake()
    closing.client.session.closeNotify()
    closing.pump()
    #expect(closing.server.isClosed && closing.server.failure == nil)
    closing.server.send([1, 2, 3])
    closing.pump()
    #expect(closing.client.received == [1, 2, 3])

    let cut = try Pair(server: Fixture.server(), client: Fixture.anyone)
    _ = try cut.handshake()
    cut.server.receiveEnd()
    #expect(cut.server.failure == .truncated)

    let early = try Pair(server: Fixture.server(), client: Fixture.anyone)
    early.client.step()
    early.server.receive(Array(early.client.takeOutput().prefix(50)))
    early.server.receiveEnd()
    #expect(early.server.failure == .truncated)
  }

  @Test func `an end of stream after the last bytes still delivers them`() throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.anyone)
    _ = try pair.handshake()
    pair.client.send([1, 2, 3])
    let ciphertext = pair.client.takeOutput()
    pair.server.scratch.input.copyBytes(from: ciphertext)
    pair.server.scratch.offer(count: ciphertext.count, ended: true)
    pair.server.step()
    #expect(pair.server.received == [1, 2, 3])
    #expect(pair.server.failure == .truncated)
  }

  @Test func `a second close_notify is not sent`() throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.anyone)
    _ = try pair.handshake()
    pair.server.session.closeNotify()
    #expect(!pair.server.takeOutput().isEmpty)
    pair.server.session.closeNotify()
    #expect(pair.server.takeOutput().isEmpty)
  }

  @Test func `an unusually large output is given back`() throws {
    let pair = try Pair(server: Fixture.server(), client: Fixture.anyone)
    _ = try pair.handshake()
    pair.server.send(pattern(3_000_000))
    pair.pump()
    #expect(pair.client.received == pattern(3_000_000))
    #expect(pair.server.scratch.outputCount == 0)
    pair.server.send([7])
    pair.pump()
    #expect(pair.client.received.last == 7)
  }
}
