import EdgeCore
import EdgeIO
import Glibc
import Testing

@Suite struct `Files that are written as a whole` {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  @Test func `a new file belongs to its owner alone, and nothing else stays behind`() throws {
    let path = directory.file("state")
    try FileSystem.replaceFile(path, with: Array("one".utf8).span)
    #expect(try FileSystem.readFile(path, maxBytes: 9) == Array("one".utf8))
    #expect(mode(of: path) == 0o600)
    #expect(FileSystem.glob(directory.file("*")).map(\.path) == [path])
  }

  @Test func `the old content is replaced, whatever a crash left beside it`() throws {
    let path = try directory.write("a longer content", to: "state")
    _ = try directory.write("half a fi", to: "state.new")
    try FileSystem.replaceFile(path, with: Array("two".utf8).span)
    #expect(try FileSystem.readFile(path, maxBytes: 9) == Array("two".utf8))
    #expect(mode(of: path) == 0o600)
    #expect(FileSystem.glob(directory.file("*")).map(\.path) == [path])
  }

  @Test func `content of any length is written`() throws {
    let path = directory.file("state")
    for count in [0, 1, 5_000_000] {
      let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
      try FileSystem.replaceFile(path, with: content.span)
      #expect(try FileSystem.readFile(path, maxBytes: count) == content)
    }
  }

  @Test func `what cannot be written is an error, and nothing stays behind`() throws {
    #expect(throws: SystemError.self) { try FileSystem.replaceFile(directory.file("none/state"), with: [1].span) }
    #expect(mkdir(directory.file("state"), 0o700) == 0)
    defer { rmdir(directory.file("state")) }
    #expect(throws: SystemError.self) { try FileSystem.replaceFile(directory.file("state"), with: [1].span) }
    #expect(FileSystem.glob(directory.file("*")).map(\.path) == [directory.file("state")])
  }

  @Test func `a directory is made for its owner alone, and taken as it is where there is one`() throws {
    let path = directory.file("dir")
    defer { rmdir(path) }
    try FileSystem.makePrivateDirectory(path)
    #expect(mode(of: path) == 0o700)
    try FileSystem.makePrivateDirectory(path)
    try FileSystem.requireWritableDirectory(path)
    let file = try directory.write("", to: "file")
    #expect(throws: SystemError.self) { try FileSystem.makePrivateDirectory(file) }
    #expect(throws: SystemError.self) { try FileSystem.makePrivateDirectory("\(file)/below") }
    #expect(throws: SystemError.self) { try FileSystem.requireWritableDirectory(directory.file("none")) }
  }

  private func mode(of path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }
}
