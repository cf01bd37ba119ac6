internal import CSystem
internal import Glibc

/// A program that this process has started, and that ends with it at the latest.
public final class ChildProcess: Sendable {
  /// The process's number.
  public let processID: Int32

  /// Starts a program. Call it on the main thread, before other threads exist: forking a process with threads is unsafe.
  ///
  /// - Parameters:
  ///   - path: the executable file.
  ///   - arguments: without the program's own name.
  /// - Throws: `SystemError` from `fork`. A file that cannot be executed shows as a child that ends at once.
  public init(path: String, arguments: [String]) throws(SystemError) {
    // One buffer with a terminator behind each text, and pointers into it.
    var text: [CChar] = []
    var starts: [Int] = []
    for argument in [path] + arguments {
      starts.append(text.count)
      text += argument.utf8CString
    }
    processID = unsafe text.withUnsafeMutableBufferPointer { buffer in
      let pointers = unsafe starts.map { start in unsafe buffer.baseAddress.map { unsafe $0 + start } } + [nil]
      return unsafe csystem_spawn(buffer.baseAddress, pointers)
    }
    guard processID > 0 else { throw SystemError.last("fork") }
  }

  /// Whether it still runs. Once it has ended, its number is free for others: this is then the last question to ask.
  public var isRunning: Bool { csystem_reap(processID) == 0 }

  /// Asks it to end (SIGTERM).
  public func terminate() {
    kill(processID, SIGTERM)
  }
}

/// What the process was started with.
public enum ProcessEnvironment {
  /// The environment's variables; of one that stands twice, the first.
  public static var variables: [String: String] {
    var variables: [String: String] = [:]
    guard var entry = unsafe csystem_environment() else { return variables }
    while let text = unsafe entry.pointee {
      let pair = unsafe String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2, variables[String(pair[0])] == nil { variables[String(pair[0])] = String(pair[1]) }
      unsafe entry += 1
    }
    return variables
  }

  /// The values of some variables, which are taken out of the environment: no child of this process has them. Call it before other
  /// threads exist.
  static func take(_ names: [String]) -> [String: String] {
    let taken = variables.filter { names.contains($0.key) }
    for name in names { unsafe csystem_unset_variable(name) }
    return taken
  }

  /// The file that this process executes, or nil where /proc does not say.
  public static var executablePath: String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0, count < buffer.count else { return nil }
    return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Makes a directory for this process alone (mode 0700) below /tmp.
  ///
  /// - Parameter name: what its name begins with.
  /// - Throws: `SystemError` from `mkdtemp`.
  public static func makeTemporaryDirectory(_ name: String) throws(SystemError) -> String {
    var template = Array("/tmp/\(name)-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
