internal import CSystem
public import EdgeCore
internal import Glibc

/// Which file it is, whatever its name: a file that is removed and made anew is another one, even where the file system
/// gives it the same inode number.
public struct FileIdentity: Hashable, Sendable {
  /// The file system.
  public let device: UInt64
  /// The number within the file system.
  public let inode: UInt64
  /// When it was made, in nanoseconds since 1970; 0 where the file system does not record that.
  public let birth: Int64
}

/// Facts about a file. Two equal ones mean that it is the same file with the same content.
public struct FileStatus: Hashable, Sendable {
  /// Kinds of file that are told apart.
  public enum Kind: Sendable {
    /// Holds bytes.
    case regular
    /// Holds names.
    case directory
    /// A Unix socket.
    case socket
    /// A device, a pipe or a symbolic link.
    case other
  }

  /// Which file it is.
  public let identity: FileIdentity
  /// Its kind.
  public let kind: Kind
  /// Its size in bytes.
  public let size: UInt64
  /// When its content changed last.
  public let modified: WallTime
}

/// Why a file could not be read.
public enum FileError: Error, Sendable, CustomStringConvertible {
  /// The system refused.
  case system(SystemError)
  /// It holds more bytes than allowed.
  case tooLarge(maxBytes: Int)
  /// It is a directory, a pipe, a device or a socket.
  case notRegular

  /// Whether there is no such file.
  public var isMissing: Bool {
    switch self {
    case .system(let error): error.isMissing
    case .tooLarge, .notRegular: false
    }
  }

  /// One line for an operator.
  public var description: String {
    switch self {
    case .system(let error): "\(error)"
    case .tooLarge(let maxBytes): "larger than \(maxBytes) bytes"
    case .notRegular: "not a regular file"
    }
  }
}

/// Questions about files. They block on the disk: ask them rarely, and about small files.
public enum FileSystem {
  /// A file that a pattern matched.
  public struct Match: Hashable, Sendable {
    /// Its path, as the pattern spells it.
    public let path: String
    /// What it is; symbolic links are followed.
    public let status: FileStatus
  }

  /// The files whose path matches a shell pattern (`*`, `?`, `[…]`), by path. A path without such characters matches itself.
  ///
  /// What vanishes meanwhile, or may not be seen, is left out.
  public static func glob(_ pattern: String) -> [Match] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe Glibc.glob(pattern, 0, nil, &found) == 0 else { return [] }
    return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
      guard let name = unsafe found.gl_pathv[index] else { return nil }
      let path = unsafe String(cString: name)
      return status(of: path).map { Match(path: path, status: $0) }
    }
  }

  /// Facts about the file at `path`, or nil if there is none or it may not be seen.
  public static func status(of path: String, followLinks: Bool = true) -> FileStatus? {
    guard !path.isEmpty else { return nil }
    return fileStatus(AT_FDCWD, path, followLinks: followLinks)
  }

  /// Whether users who are neither the file's owner nor of its group may read it; false if there is none.
  public static func isReadableByAll(_ path: String) -> Bool {
    var file = csystem_file()
    return unsafe csystem_file_status(AT_FDCWD, path, true, &file) == 0 && file.is_readable_by_all
  }

  /// Which file `path` names, or nil if there is none or it may not be seen.
  public static func fileIdentity(_ path: String) -> FileIdentity? {
    status(of: path)?.identity
  }

  /// The whole content of a regular file.
  ///
  /// - Parameter maxBytes: a larger file is an error; nothing of it is read then.
  /// - Throws: `FileError`.
  public static func readFile(_ path: String, maxBytes: Int) throws(FileError) -> [UInt8] {
    // O_NONBLOCK: a pipe without a writer must not hold us up before it can be refused.
    let descriptor = retryingInterrupts { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw .system(.last("open")) }
    defer { close(descriptor) }
    guard let status = fileStatus(descriptor, "", followLinks: true) else { throw .system(.last("statx")) }
    guard status.kind == .regular else { throw .notRegular }
    guard status.size <= UInt64(maxBytes) else { throw .tooLarge(maxBytes: maxBytes) }
    return try readAll(descriptor, expecting: Int(status.size), maxBytes: maxBytes)
  }

  /// Removes the socket file at `path` if it is still the one with this identity, not one that a successor made.
  public static func removeSocket(_ path: String, identity: FileIdentity) {
    guard let status = status(of: path, followLinks: false), status.kind == .socket, status.identity == identity else { return }
    _ = unsafe unlink(path)
  }
}

/// Reads to the end, which may lie further than the size said: files of /proc have none, others grow.
private func readAll(_ descriptor: Int32, expecting size: Int, maxBytes: Int) throws(FileError) -> [UInt8] {
  var content: [UInt8] = []
  while true {
    let wanted = max(4096, size + 1 - content.count)
    let start = content.count
    content.append(contentsOf: repeatElement(0, count: wanted))
    let count = unsafe content.withUnsafeMutableBytes { buffer in
      retryingInterrupts { unsafe read(descriptor, buffer.baseAddress?.advanced(by: start), wanted) }
    }
    guard count >= 0 else { throw .system(.last("read")) }
    content.removeLast(wanted - count)
    guard content.count <= maxBytes else { throw .tooLarge(maxBytes: maxBytes) }
    if count == 0 { return content }
  }
}

private func fileStatus(_ descriptor: Int32, _ path: String, followLinks: Bool) -> FileStatus? {
  var file = csystem_file()
  guard unsafe csystem_file_status(descriptor, path, followLinks, &file) == 0 else { return nil }
  let kind: FileStatus.Kind =
    if file.is_regular { .regular } else if file.is_directory { .directory } else if file.is_socket { .socket } else { .other }
  return FileStatus(
    identity: FileIdentity(device: file.device, inode: file.inode, birth: file.birth_nanoseconds), kind: kind,
    size: file.size, modified: WallTime(nanoseconds: file.modified_nanoseconds))
}
