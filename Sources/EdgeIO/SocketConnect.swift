internal import CSystem
public import EdgeCore
internal import Glibc

/// What became of a connection attempt.
public enum ConnectResult: ~Copyable, Sendable {
  /// Connected: a Unix socket is so at once.
  case connected(Socket)
  /// Under way (TCP): when the socket is writable, `takeError()` tells the outcome.
  case connecting(Socket)
  /// The listener's backlog is full (EAGAIN, Unix only): it lives, try again a little later.
  case backlogFull
  /// Nobody listens (ECONNREFUSED): a socket file that was left behind, or one that is bound but does not listen yet.
  case refused
  /// There is no such file (ENOENT).
  case missing
  /// Anything else, such as EACCES, ENAMETOOLONG or EMFILE.
  case failed(SystemError)
}

extension Socket {
  /// Connects to a Unix socket. Never waits.
  ///
  /// - Parameter path: at most 107 bytes.
  public static func connect(unixPath path: String) -> ConnectResult {
    let descriptor = csystem_unix_socket()
    guard descriptor >= 0 else { return .failed(.last("socket")) }
    let socket = Socket(owning: descriptor)
    guard retryingInterrupts({ unsafe csystem_connect_unix(descriptor, path) }) != 0 else { return .connected(socket) }
    switch errno {
    case EAGAIN: return .backlogFull
    case ECONNREFUSED: return .refused
    case ENOENT: return .missing
    default: return .failed(.last("connect"))
    }
  }

  /// Begins to connect to a TCP port. Never waits.
  ///
  /// - Parameter source: the address of this machine to come from, for who holds more connections to one port than one
  ///   address has ports; nil lets the kernel choose.
  public static func connect(tcp address: IPAddress, port: UInt16, from source: IPAddress? = nil) -> ConnectResult {
    let target = csystem_address(address, port: port)
    let descriptor = csystem_tcp_socket(target)
    guard descriptor >= 0 else { return .failed(.last("socket")) }
    let socket = Socket(owning: descriptor)
    if let source, csystem_bind(descriptor, csystem_address(source, port: 0)) != 0 { return .failed(.last("bind")) }
    _ = csystem_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    guard csystem_connect(descriptor, target) != 0 else { return .connected(socket) }
    switch errno {
    case EINPROGRESS, EINTR: return .connecting(socket)
    case ECONNREFUSED: return .refused
    default: return .failed(.last("connect"))
    }
  }
}

extension csystem_address {
  /// The C form of an address.
  init(_ address: IPAddress, port: UInt16) {
    self.init(high: address.high, low: address.low, port: port, is_internet: true)
  }
}
