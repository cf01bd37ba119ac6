import EdgeCore
import EdgeIO
import Glibc
import Testing

@Suite struct `TCP sockets` {
  @Test(arguments: ["127.0.0.1", "::1"])
  func `bytes go both ways, and the peer's address is the client's`(text: String) throws {
    let address = try #require(IPAddress(text))
    let listener = try Socket.listen(tcp: address, port: 0)
    let client = try connected(Socket.connect(tcp: address, port: listener.localPort))
    let server = try nextClient(of: listener)
    #expect(server.peer == .ip(address, port: client.localPort))
    #expect(client.send("ping") == .bytes(4))
    server.socket.wait(for: POLLIN)
    #expect(server.socket.receiveText().text == "ping")
    #expect(server.socket.send("pong") == .bytes(4))
    client.wait(for: POLLIN)
    #expect(client.receiveText().text == "pong")
  }

  @Test func `a listener on :: takes IPv4 clients, whose address is IPv4`() throws {
    let listener = try Socket.listen(tcp: IPAddress(high: 0, low: 0), port: 0)
    let client = try connected(Socket.connect(tcp: loopback, port: listener.localPort))
    let server = try nextClient(of: listener)
    #expect(server.peer == .ip(loopback, port: client.localPort))
    #expect(server.peer.ip?.isIPv4 == true)
  }

  @Test func `accepted sockets do not delay small writes, probe a silent peer, and are not inherited`() throws {
    let listener = try Socket.listen(tcp: loopback, port: 0)
    let client = try connected(Socket.connect(tcp: loopback, port: listener.localPort))
    let server = try nextClient(of: listener)
    let descriptor = server.socket.descriptor
    #expect(option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
    #expect(option(descriptor, SOL_SOCKET, SO_KEEPALIVE) == 1)
    #expect(option(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE) == 60)
    #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
    #expect(client.descriptor >= 0)
  }

  @Test func `a second listener on a port is refused, unless both share it`() throws {
    let first = try Socket.listen(tcp: loopback, port: 0, reusePort: true)
    let port = first.localPort
    #expect(errno { _ = try Socket.listen(tcp: loopback, port: port) } == EADDRINUSE)
    #expect(errno { try Socket.checkUnused(tcp: loopback, port: port) } == EADDRINUSE)
    let second = try Socket.listen(tcp: loopback, port: port, reusePort: true)
    #expect(second.localPort == port)
  }

  @Test func `a port that nobody uses any more is unused`() throws {
    let holder = try Holder()
    let port = try Socket.listen(tcp: loopback, port: holder.port).localPort
    #expect(throws: Never.self) { try Socket.checkUnused(tcp: loopback, port: port) }
    #expect(errno { _ = try connected(Socket.connect(tcp: loopback, port: port)) } == ECONNREFUSED)
  }

  @Test func `nobody waits at a quiet listener`() throws {
    let listener = try Socket.listen(tcp: loopback, port: 0)
    guard case .wouldBlock = listener.accept() else {
      Issue.record("expected wouldBlock")
      return
    }
  }

  @Test func `a reset reaches the peer as an error`() throws {
    let listener = try Socket.listen(tcp: loopback, port: 0)
    let client = try connected(Socket.connect(tcp: loopback, port: listener.localPort))
    try nextClient(of: listener).socket.resetOnClose()
    client.wait(for: POLLIN)
    #expect(client.receiveText().result == .failed(errno: ECONNRESET))
  }
}

@Suite struct `Reading and writing` {
  @Test func `nothing to read would block`() throws {
    let pair = try Socket.pair()
    #expect(pair.first.receiveText().result == .wouldBlock)
  }

  @Test func `the end comes after the bytes`() throws {
    let pair = try Socket.pair()
    #expect(pair.second.send("last") == .bytes(4))
    pair.second.shutdownWrite()
    #expect(pair.first.receiveText().text == "last")
    #expect(pair.first.receiveText().result == .ended)
  }

  @Test func `a full kernel buffer takes part of the bytes, then would block`() throws {
    let pair = try Socket.pair()
    let bytes = [UInt8](repeating: 1, count: 1 << 20)
    guard case .bytes(let count) = pair.first.send(bytes.span) else {
      Issue.record("expected bytes")
      return
    }
    #expect((1..<bytes.count).contains(count))
    while case .bytes = pair.first.send(bytes.span) {}
    #expect(pair.first.send("x") == .wouldBlock)
  }

  @Test func `writing to a peer that is gone is an error, not a signal`() throws {
    let pair = try Socket.pair()
    pair.second.shutdownWrite()
    shutdown(pair.second.descriptor, Int32(SHUT_RD))
    #expect(pair.first.send("x") == .failed(errno: EPIPE))
  }

  @Test func `an adopted descriptor becomes nonblocking and close-on-exec`() throws {
    var ends: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    let first = try Socket(adopting: ends[0])
    let second = try Socket(adopting: ends[1])
    #expect(first.receiveText().result == .wouldBlock)
    #expect(fcntl(second.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    #expect(errno { _ = try Socket(adopting: -1) } == EBADF)
  }
}

/// Keeps a port of loopback from everybody who asks for any: it is bound and does not listen, and whoever listens shares it.
private final class Holder {
  let port: UInt16
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var isShared: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isShared, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    try #require(isBound)
  }

  deinit {
    close(descriptor)
  }
}

private func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
  var value: Int32 = -1
  var length = socklen_t(MemoryLayout<Int32>.size)
  getsockopt(descriptor, level, name, &value, &length)
  return value
}
