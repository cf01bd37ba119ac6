internal import Glibc

/// Files that are written as a whole, and the directories they lie in. Writing blocks on the disk, until it has the bytes.
extension FileSystem {
  /// Puts `content` in place of what `path` names: after a crash or a full disk it is either the old content or the new.
  ///
  /// The file belongs to its owner alone (mode 0600). It is written under a name beside `path`, with `.new` at its end.
  ///
  /// - Throws: `SystemError`; the old content is still there, unless syncing the directory was what failed.
  public static func replaceFile(_ path: String, with content: Span<UInt8>) throws(SystemError) {
    let draft = path + ".new"
    // One that a crash left behind may have another owner or mode.
    _ = unsafe unlink(draft)
    let descriptor = retryingInterrupts { unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600) }
    guard descriptor >= 0 else { throw .last("open") }
    do throws(SystemError) {
      defer { close(descriptor) }
      try writeAll(content, to: descriptor)
      guard retryingInterrupts({ fsync(descriptor) }) == 0 else { throw .last("fsync") }
    } catch {
      _ = unsafe unlink(draft)
      throw error
    }
    guard unsafe rename(draft, path) == 0 else {
      let error = SystemError.last("rename")
      _ = unsafe unlink(draft)
      throw error
    }
    try syncDirectory(of: path)
  }

  /// Makes a directory that only its owner may enter (mode 0700). One that is there already is left as it is.
  public static func makePrivateDirectory(_ path: String) throws(SystemError) {
    guard unsafe mkdir(path, 0o700) != 0 else { return }
    let error = SystemError.last("mkdir")
    guard status(of: path)?.kind == .directory else { throw error }
  }

  /// Checks that this process may make files in a directory, without making one.
  public static func requireWritableDirectory(_ path: String) throws(SystemError) {
    guard unsafe access(path, W_OK | X_OK) == 0 else { throw .last("access") }
  }
}

private func writeAll(_ content: Span<UInt8>, to descriptor: Int32) throws(SystemError) {
  var written = 0
  while written < content.count {
    let count = unsafe content.extracting(droppingFirst: written).withUnsafeBytes { buffer in
      retryingInterrupts { unsafe write(descriptor, buffer.baseAddress, buffer.count) }
    }
    guard count > 0 else { throw .last("write") }
    written += count
  }
}

/// Makes a rename last: the name is the directory's content.
private func syncDirectory(of path: String) throws(SystemError) {
  let end = path.utf8.lastIndex(of: UInt8(ascii: "/"))
  let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  let descriptor = retryingInterrupts { unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  guard descriptor >= 0 else { throw .last("open") }
  defer { close(descriptor) }
  guard retryingInterrupts({ fsync(descriptor) }) == 0 else { throw .last("fsync") }
}
