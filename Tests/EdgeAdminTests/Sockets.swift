import Glibc

enum Fault: Error { case refused }

/// A socket that listens, and a client of it that blocks.
struct Listening {
  let descriptor: Int32
  private let address: [UInt8]

  static func unix() throws -> Listening {
    let path = "/tmp/sluice-admin-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return try Listening(withUnsafeBytes(of: address) { Array($0) }, family: AF_UNIX)
  }

  static func tcp() throws -> Listening {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return try Listening(withUnsafeBytes(of: address) { Array($0) }, family: AF_INET)
  }

  private init(_ wanted: [UInt8], family: Int32) throws {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    let bound = withAddress(wanted) { bind(descriptor, $0, $1) }
    guard bound == 0, listen(descriptor, 64) == 0 else { throw Fault.refused }
    var actual = wanted
    var size = socklen_t(actual.count)
    let known = actual.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { getsockname(descriptor, $0.assumingMemoryBound(to: sockaddr.self), &size) } ?? -1
    }
    guard known == 0 else { throw Fault.refused }
    self.descriptor = descriptor
    address = actual
  }

  /// - Parameter source: the IPv4 address to connect from; nil leaves that to the kernel.
  func connect(from source: UInt32? = nil) throws -> Int32 {
    let client = socket(Int32(address.withUnsafeBytes { $0.load(as: sa_family_t.self) }), Int32(SOCK_STREAM.rawValue), 0)
    if let source {
      var own = sockaddr_in()
      own.sin_family = sa_family_t(AF_INET)
      own.sin_addr.s_addr = source.bigEndian
      guard withAddress(withUnsafeBytes(of: own) { Array($0) }, { bind(client, $0, $1) }) == 0 else { throw Fault.refused }
    }
    guard withAddress(address, { Glibc.connect(client, $0, $1) }) == 0 else {
      close(client)
      throw Fault.refused
    }
    return client
  }

  /// Sends bytes and reads until the server closes, or has been silent for `patience` seconds.
  func exchange(_ request: [UInt8], patience: Int = 60) throws -> String {
    let client = try connect()
    defer { close(client) }
    var patience = timeval(tv_sec: patience, tv_usec: 0)
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    try? write(client, request)
    return String(decoding: try readAll(client), as: UTF8.self)
  }

  /// Sends a request, one byte for each scalar, with a field that asks the server to close.
  func exchange(_ request: String, patience: Int = 60) throws -> String {
    let scalars = Array(request.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
    let line = scalars.firstIndex(of: 0x0a) ?? 0
    return try exchange(scalars[...line] + Array("Connection: close\r\n".utf8) + scalars[(line + 1)...], patience: patience)
  }
}

func write(_ descriptor: Int32, _ bytes: [UInt8]) throws {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    guard count > 0 else { throw Fault.refused }
    rest = rest.dropFirst(count)
  }
}

func readAll(_ descriptor: Int32) throws -> [UInt8] {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4_096)
  while true {
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return bytes }
    bytes += buffer[..<count]
  }
}

private func withAddress(_ bytes: [UInt8], _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
  bytes.withUnsafeBytes { raw in
    raw.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) } ?? -1
  }
}
