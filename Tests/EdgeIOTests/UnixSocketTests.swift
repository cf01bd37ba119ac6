import EdgeCore
import EdgeIO
import Glibc
import Testing

@Suite struct `Unix sockets` {
  let directory: TemporaryDirectory
  let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("a.sock")
  }

  @Test func `a client has no address, but credentials`() throws {
    let listener = try Socket.listen(unixPath: path)
    let client = try connected(Socket.connect(unixPath: path))
    let server = try nextClient(of: listener)
    #expect(server.peer == .unix)
    let credentials = try server.socket.peerCredentials()
    #expect((credentials.process, credentials.user, credentials.group) == (getpid(), getuid(), getgid()))
    #expect(try client.peerCredentials() == credentials)
    #expect(listener.localPort == 0)
  }

  @Test func `a full backlog is told from a refusal`() throws {
    let listener = try Socket.listen(unixPath: path, backlog: 0)
    let first = try connected(Socket.connect(unixPath: path))
    var later = outcome(Socket.connect(unixPath: path))
    for _ in 0..<8 where later == .connected { later = outcome(Socket.connect(unixPath: path)) }
    #expect(later == .backlogFull)
    let accepted = try nextClient(of: listener)
    #expect(outcome(Socket.connect(unixPath: path)) == .connected)
    #expect(first.descriptor >= 0 && accepted.peer == .unix)
  }

  @Test func `connecting between bind and listen is refused`() throws {
    let descriptor = bindOnly(path)
    defer { close(descriptor) }
    #expect(outcome(Socket.connect(unixPath: path)) == .refused)
    #expect(listen(descriptor, 1) == 0)
    #expect(outcome(Socket.connect(unixPath: path)) == .connected)
  }

  @Test func `a socket file left behind refuses, and no file is missing`() throws {
    #expect(outcome(Socket.connect(unixPath: path)) == .missing)
    _ = try Socket.listen(unixPath: path)
    #expect(outcome(Socket.connect(unixPath: path)) == .refused)
  }

  @Test func `a path that is too long is refused, not cut`() throws {
    let path = "/tmp/" + String(repeating: "x", count: 103)
    #expect(outcome(Socket.connect(unixPath: path)) == .failed(errno: ENAMETOOLONG))
    #expect(errno { _ = try Socket.listen(unixPath: path) } == ENAMETOOLONG)
  }

  @Test func `a stale socket file is replaced`() throws {
    _ = try Socket.listen(unixPath: path)
    let old = FileSystem.fileIdentity(path)
    let listener = try Socket.listen(unixPath: path)
    #expect(FileSystem.fileIdentity(path) != old)
    #expect(outcome(Socket.connect(unixPath: path)) == .connected)
    #expect(listener.descriptor >= 0)
  }

  @Test func `a socket that somebody listens on is left alone`() throws {
    let listener = try Socket.listen(unixPath: path, backlog: 0)
    #expect(errno { _ = try Socket.listen(unixPath: path) } == EADDRINUSE)
    while outcome(Socket.connect(unixPath: path)) == .connected {}
    #expect(errno { _ = try Socket.listen(unixPath: path) } == EADDRINUSE, "a full backlog is life too")
    #expect(listener.descriptor >= 0)
  }

  @Test func `a file that is no socket is left alone`() throws {
    let path = try directory.write("precious", to: "a.sock")
    #expect(errno { _ = try Socket.listen(unixPath: path) } == ENOTSOCK)
    #expect(try FileSystem.readFile(path, maxBytes: 100) == Array("precious".utf8))
  }

  @Test func `a link to a socket is left alone`() throws {
    let target = directory.file("target.sock")
    _ = try Socket.listen(unixPath: target)
    #expect(symlink(target, path) == 0)
    #expect(errno { _ = try Socket.listen(unixPath: path) } == ENOTSOCK)
    #expect(FileSystem.status(of: target)?.kind == .socket)
  }

  @Test(arguments: [0o600, 0o660, 0o777] as [UInt32])
  func `the file has the mode that was asked for`(mode: UInt32) throws {
    let listener = try Socket.listen(unixPath: path, mode: mode)
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == mode)
    #expect(listener.descriptor >= 0)
  }

  @Test func `a socket file is removed only by its maker`() throws {
    let first = try Socket.listen(unixPath: path)
    let identity = try #require(FileSystem.fileIdentity(path))
    unlink(path)
    let second = try Socket.listen(unixPath: path)
    FileSystem.removeSocket(path, identity: identity)
    let successor = try #require(FileSystem.fileIdentity(path), "the successor's file is still there")
    FileSystem.removeSocket(path, identity: successor)
    #expect(FileSystem.fileIdentity(path) == nil)
    #expect(first.descriptor != second.descriptor)
  }
}

/// A Unix socket that has a name but does not listen.
private func bindOnly(_ path: String) -> Int32 {
  let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  let length = socklen_t(MemoryLayout<sockaddr_un>.size)
  let result = withUnsafePointer(to: &address) { address in
    address.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
  }
  #expect(result == 0)
  return descriptor
}
