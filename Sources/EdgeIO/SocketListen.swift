internal import CSystem
public import EdgeCore
internal import Glibc

/// What one attempt to accept gave.
public enum AcceptResult: ~Copyable, Sendable {
  /// A client's socket, and where it comes from.
  case accepted(Socket, PeerAddress)
  /// Nobody waits.
  case wouldBlock
  /// A client waits, but the process or the machine has no descriptor or no memory for it; it goes on waiting.
  case outOfDescriptors(SystemError)
  /// This client is gone already (such as ECONNABORTED); the next one may be fine.
  case transient(SystemError)
  /// The listener itself is unusable.
  case failed(SystemError)
}

extension Socket {
  /// Listens on a TCP port.
  ///
  /// Clients' sockets inherit TCP_NODELAY, keepalive (first probe after 60 s, then 3 of them 20 s apart), and a bound of
  /// 128 KiB on what the kernel takes beyond what is on its way: a slow client is noticed here, not after megabytes there.
  ///
  /// - Parameters:
  ///   - address: `::` takes IPv4 clients too, and is `0.0.0.0` on a machine without IPv6.
  ///   - port: 0 lets the kernel choose; see `localPort`.
  ///   - reusePort: whether several sockets of this user may share the port, each with its own share of the clients.
  ///   - backlog: how many clients may wait; the kernel caps it at net.core.somaxconn.
  /// - Throws: `SystemError`, such as EADDRINUSE, EACCES or EADDRNOTAVAIL.
  public static func listen(tcp address: IPAddress, port: UInt16, reusePort: Bool = false, backlog: Int32 = 4096)
    throws(SystemError) -> Socket
  {
    let socket = try bound(to: address, port: port, reusePort: reusePort)
    try socket.setClientOptions()
    guard Glibc.listen(socket.descriptor, backlog) == 0 else { throw SystemError.last("listen") }
    return socket
  }

  /// Sets what the sockets of clients inherit from a listening TCP socket; see `listen(tcp:port:reusePort:backlog:)`.
  borrowing func setClientOptions() throws(SystemError) {
    let tcp = Int32(IPPROTO_TCP)
    try set(SOL_SOCKET, SO_KEEPALIVE, 1)
    try set(tcp, TCP_NODELAY, 1)
    try set(tcp, TCP_KEEPIDLE, 60)
    try set(tcp, TCP_KEEPINTVL, 20)
    try set(tcp, TCP_KEEPCNT, 3)
    try set(tcp, TCP_NOTSENT_LOWAT, maxUnsentBytes)
  }

  /// Fails with EADDRINUSE if anybody listens on the port, even someone who would share it. SO_REUSEPORT alone would let a
  /// second edge, started by mistake, take half of the first one's clients.
  public static func checkUnused(tcp address: IPAddress, port: UInt16) throws(SystemError) {
    _ = try bound(to: address, port: port, reusePort: false)
  }

  /// Listens on a Unix socket, instead of one that nobody listens on any more.
  ///
  /// - Parameters:
  ///   - path: at most 107 bytes. A socket file of a process that is gone is replaced; any other file is left alone.
  ///   - mode: the permission bits of the file, in force before the first client can connect.
  ///   - backlog: how many clients may wait; one more gets EAGAIN.
  /// - Throws: `SystemError`: EADDRINUSE if somebody listens there, ENOTSOCK if the file is no socket, ENAMETOOLONG, EACCES…
  public static func listen(unixPath path: String, mode: UInt32 = 0o660, backlog: Int32 = 4096) throws(SystemError) -> Socket {
    let descriptor = csystem_unix_socket()
    guard descriptor >= 0 else { throw SystemError.last("socket") }
    let socket = Socket(owning: descriptor)
    if unsafe csystem_bind_unix(descriptor, path) != 0 {
      guard errno == EADDRINUSE else { throw SystemError.last("bind") }
      try removeStaleSocket(path)
      guard unsafe csystem_bind_unix(descriptor, path) == 0 else { throw SystemError.last("bind") }
    }
    guard unsafe chmod(path, mode) == 0 else { throw SystemError.last("chmod") }
    guard Glibc.listen(descriptor, backlog) == 0 else { throw SystemError.last("listen") }
    return socket
  }

  /// Takes the next client of a listening socket.
  public borrowing func accept() -> AcceptResult {
    var peer = csystem_address()
    let descriptor = retryingInterrupts { unsafe csystem_accept(self.descriptor, &peer) }
    guard descriptor < 0 else {
      let address = IPAddress(high: peer.high, low: peer.low)
      return .accepted(Socket(owning: descriptor), peer.is_internet ? .ip(address, port: peer.port) : .unix)
    }
    let error = SystemError.last("accept4")
    switch error.errno {
    case EAGAIN: return .wouldBlock
    case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .outOfDescriptors(error)
    case EBADF, EINVAL, ENOTSOCK, EFAULT: return .failed(error)
    default: return .transient(error)
    }
  }

  private static func bound(to address: IPAddress, port: UInt16, reusePort: Bool) throws(SystemError) -> Socket {
    var target = csystem_address(address, port: port)
    var descriptor = csystem_tcp_socket(target)
    if descriptor < 0, errno == EAFNOSUPPORT, address == IPAddress(high: 0, low: 0) {
      target = csystem_address(IPAddress(v4: 0), port: port)
      descriptor = csystem_tcp_socket(target)
    }
    guard descriptor >= 0 else { throw SystemError.last("socket") }
    let socket = Socket(owning: descriptor)
    try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
    if reusePort { try socket.set(SOL_SOCKET, SO_REUSEPORT, 1) }
    if !address.isIPv4 { _ = csystem_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    guard csystem_bind(descriptor, target) == 0 else { throw SystemError.last("bind") }
    return socket
  }

  private borrowing func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
    guard csystem_set_option(descriptor, level, option, value) == 0 else { throw SystemError.last("setsockopt") }
  }
}

/// Removes the socket file at `path` if connecting to it is refused. A process that has bound but does not listen yet
/// cannot be told from one that is gone.
private func removeStaleSocket(_ path: String) throws(SystemError) {
  guard FileSystem.status(of: path, followLinks: false)?.kind == .socket else {
    throw SystemError("bind", errno: ENOTSOCK)
  }
  guard case .refused = Socket.connect(unixPath: path) else { throw SystemError("bind", errno: EADDRINUSE) }
  guard unsafe unlink(path) == 0 || errno == ENOENT else { throw SystemError.last("unlink") }
}

/// What the kernel may hold for a client without having sent it (tcp(7)).
private let maxUnsentBytes: Int32 = 131_072
