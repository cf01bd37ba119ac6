import EdgeCore
import Glibc
import Testing

@testable import EdgeIO

@Suite struct `Files` {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  @Test func `a pattern finds what matches, by path, with its kind`() throws {
    _ = try directory.write("", to: "b.sock")
    let listener = try Socket.listen(unixPath: directory.file("a.sock"))
    _ = try directory.write("", to: "c.txt")
    let found = FileSystem.glob(directory.file("*.sock"))
    #expect(found.map(\.path) == [directory.file("a.sock"), directory.file("b.sock")])
    #expect(found.map(\.status.kind) == [.socket, .regular])
    #expect(listener.descriptor >= 0)
  }

  @Test func `a path without wildcards matches itself, and nothing matches nothing`() throws {
    let path = try directory.write("", to: "plain")
    #expect(FileSystem.glob(path).map(\.path) == [path])
    #expect(FileSystem.glob(directory.file("absent")).isEmpty)
    #expect(FileSystem.glob("").isEmpty)
  }

  @Test func `a link that leads nowhere matches nothing`() throws {
    #expect(symlink("/nonexistent", directory.file("dangling")) == 0)
    #expect(FileSystem.glob(directory.file("d*")).isEmpty)
    unlink(directory.file("dangling"))
  }

  @Test func `a file that is made anew under its name is another file`() throws {
    let path = try directory.write("", to: "file")
    let old = try #require(FileSystem.fileIdentity(path))
    #expect(FileSystem.fileIdentity(path) == old)
    unlink(path)
    _ = try directory.write("", to: "file")
    #expect(FileSystem.fileIdentity(path) != old)
  }

  @Test func `new content changes the status, not the identity`() throws {
    let path = try directory.write("one", to: "file")
    let old = try #require(FileSystem.status(of: path))
    _ = try directory.write("two", to: "file")
    let new = try #require(FileSystem.status(of: path))
    #expect(new != old)
    #expect(new.identity == old.identity)
    #expect(new.size == 6)
  }

  @Test func `a file is read whole, up to the bound`() throws {
    let path = try directory.write("0123456789", to: "file")
    #expect(try FileSystem.readFile(path, maxBytes: 10) == Array("0123456789".utf8))
    #expect(problem { try FileSystem.readFile(path, maxBytes: 9) } == "larger than 9 bytes")
    #expect(try FileSystem.readFile(directory.write("", to: "empty"), maxBytes: 0) == [])
  }

  @Test func `a file whose size the system does not tell is read whole, up to the bound`() throws {
    #expect(try !FileSystem.readFile("/proc/self/status", maxBytes: 1 << 20).isEmpty)
    #expect(problem { try FileSystem.readFile("/proc/self/status", maxBytes: 10) } == "larger than 10 bytes")
  }

  @Test func `what is no file is refused, without waiting`() throws {
    #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
    #expect(problem { try FileSystem.readFile(directory.file("pipe"), maxBytes: 10) } == "not a regular file")
    #expect(problem { try FileSystem.readFile(directory.path, maxBytes: 10) } == "not a regular file")
    #expect(problem { try FileSystem.readFile(directory.file("absent"), maxBytes: 10) } == "open: No such file or directory")
  }

  @Test func `a log is opened again under its name after a rotation`() throws {
    let path = directory.file("log")
    var log = try AppendFile(path: path)
    #expect(log.write(Array("one\n".utf8).span) == .bytes(4))
    #expect(rename(path, directory.file("log.1")) == 0)
    #expect(log.write(Array("two\n".utf8).span) == .bytes(4))
    try log.reopen()
    #expect(log.write(Array("three\n".utf8).span) == .bytes(6))
    #expect(try FileSystem.readFile(directory.file("log.1"), maxBytes: 100) == Array("one\ntwo\n".utf8))
    #expect(try FileSystem.readFile(path, maxBytes: 100) == Array("three\n".utf8))
  }

  @Test func `a log that cannot be opened again stays where it was`() throws {
    let inner = directory.file("inner")
    #expect(mkdir(inner, 0o700) == 0)
    var log = try AppendFile(path: "\(inner)/log")
    #expect(rename(inner, directory.file("moved")) == 0)
    #expect(errno { try log.reopen() } == ENOENT)
    #expect(log.write(Array("kept".utf8).span) == .bytes(4))
    #expect(try FileSystem.readFile(directory.file("moved/log"), maxBytes: 10) == Array("kept".utf8))
    unlink(directory.file("moved/log"))
    rmdir(directory.file("moved"))
  }

  @Test func `a full disk is an error`() throws {
    let log = try AppendFile(path: "/dev/full")
    #expect(log.write(Array("x".utf8).span) == .failed(errno: ENOSPC))
  }
}

@Suite struct `System facts` {
  @Test func `an error names the operation and the cause`() {
    #expect(SystemError("bind", errno: EADDRINUSE).description == "bind: Address already in use")
    #expect(SystemError("bind", errno: 9_999).description == "bind: error 9999")
    #expect(SystemError("open", errno: EMFILE).isOutOfDescriptors)
  }

  @Test func `the soft descriptor limit becomes the hard one`() {
    let limit = DescriptorLimit.raise()
    #expect(limit.soft == limit.hard)
    #expect(DescriptorLimit.openCount() > 2)
  }

  @Test func `open descriptors are counted alike by their directory, by its size and one by one`() throws {
    let held = DescriptorReserve(count: 300)
    // Other tests open and close some meanwhile.
    let agreed = (0..<1_000).contains { _ in
      let counts = [
        DescriptorLimit.openCount(), DescriptorLimit.countOneByOne(), FileSystem.glob("/proc/self/fd/*").count,
        DescriptorLimit.openCount(),
      ]
      // The directory lists the descriptor that it is read by.
      return counts[0] == counts[1] && counts[1] == counts[3] && (0...1).contains(counts[2] - counts[0]) && counts[0] > 300
    }
    #expect(agreed && held.isWhole)
  }

  @Test func `a reserve can be released and refilled`() {
    let reserve = DescriptorReserve(count: 3)
    #expect(reserve.isWhole)
    reserve.release()
    #expect(!reserve.isWhole)
    #expect(reserve.refill())
    #expect(reserve.isWhole)
  }

  @Test func `the monotonic clock goes forward, and the wall clock is past 2025`() {
    let first = MonotonicClock.now()
    #expect(MonotonicClock.now() >= first)
    #expect(WallClock.now().seconds > 1_735_689_600)
  }
}

/// The description of the error that `body` throws, or nil.
private func problem(_ body: () throws -> [UInt8]) -> String? {
  do {
    _ = try body()
    return nil
  } catch {
    return "\(error)"
  }
}
