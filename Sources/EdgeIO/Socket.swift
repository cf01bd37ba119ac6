internal import CSystem
public import EdgeCore
internal import Glibc

/// Owns one nonblocking stream socket, TCP or Unix, and closes it at the end of its life.
///
/// A source that is added to a reactor removes itself before its socket is closed.
public struct Socket: ~Copyable, Sendable {
  /// The descriptor: for `Reactor.add`, and for calls that this type lacks. Never close it.
  public let descriptor: Int32

  /// Owns a descriptor that is nonblocking and close-on-exec already.
  init(owning descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// Takes over a descriptor that came from outside, such as one of systemd's, and makes it nonblocking and close-on-exec.
  ///
  /// - Throws: `SystemError` if it is not an open descriptor.
  public init(adopting descriptor: Int32) throws(SystemError) {
    guard csystem_set_nonblocking(descriptor) == 0 else { throw SystemError.last("fcntl") }
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Makes two Unix sockets that are connected to each other.
  public static func pair() throws(SystemError) -> SocketPair {
    let first = csystem_unix_socket_pair()
    guard first.first >= 0 else { throw SystemError.last("socketpair") }
    return SocketPair(first: Socket(owning: first.first), second: Socket(owning: first.second))
  }
}

/// Two sockets that are connected to each other. Frozen, so that each end can be given away on its own.
@frozen
public struct SocketPair: ~Copyable {
  /// One end.
  public let first: Socket
  /// The other end.
  public let second: Socket
}

// MARK: Reading and writing

extension Socket {
  /// Receives bytes that wait in the kernel.
  ///
  /// - Parameter buffer: where they go; not empty.
  @unsafe
  public borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
    unsafe precondition(!buffer.isEmpty)
    return ioResult(of: retryingInterrupts { unsafe csystem_receive(descriptor, buffer.baseAddress, buffer.count, 0) })
  }

  /// Receives bytes that wait in the kernel.
  ///
  /// - Parameter span: where they go; not empty. Of its bytes, those past the count of the result keep their value.
  public borrowing func receive(into span: inout MutableSpan<UInt8>) -> IOResult {
    unsafe span.withUnsafeMutableBytes { buffer in unsafe receive(into: buffer) }
  }

  /// Calls `body` with the bytes that wait in the kernel, without taking them; not at all where none wait.
  public borrowing func withPeekedBytes(upTo maxBytes: Int, _ body: (Span<UInt8>) -> Void) {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: maxBytes) { buffer in
      let count = retryingInterrupts { unsafe csystem_receive(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_PEEK)) }
      guard count > 0 else { return }
      unsafe body(Span(_unsafeElements: UnsafeBufferPointer(rebasing: buffer[..<count])))
    }
  }

  /// Takes bytes out that wait in the kernel, and forgets them.
  ///
  /// - Returns: whether there were so many.
  public borrowing func discard(_ count: Int) -> Bool {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { buffer in
      retryingInterrupts { unsafe csystem_receive(descriptor, buffer.baseAddress, count, 0) } == count
    }
  }

  /// Hands bytes to the kernel, as many as it has room for. A peer that is gone is `failed(errno: EPIPE)`, not a signal.
  ///
  /// - Parameter buffer: what to send; not empty.
  @unsafe
  public borrowing func send(_ buffer: UnsafeRawBufferPointer) -> IOResult {
    unsafe precondition(!buffer.isEmpty)
    let flags = Int32(MSG_NOSIGNAL)
    return ioResult(of: retryingInterrupts { unsafe csystem_send(descriptor, buffer.baseAddress, buffer.count, flags) })
  }

  /// Hands bytes to the kernel, as many as it has room for. A peer that is gone is `failed(errno: EPIPE)`, not a signal.
  ///
  /// - Parameter bytes: what to send; not empty.
  public borrowing func send(_ bytes: Span<UInt8>) -> IOResult {
    unsafe bytes.withUnsafeBytes { buffer in unsafe send(buffer) }
  }

  /// Ends the sending side, after what was sent before; receiving goes on.
  public borrowing func shutdownWrite() {
    shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Makes the end of this socket a reset (RST) that drops what was not delivered yet, instead of an orderly end. TCP only.
  public borrowing func resetOnClose() {
    _ = csystem_set_reset_on_close(descriptor)
  }

  /// Sets the size of the kernel's send buffer; the kernel doubles it.
  public borrowing func setSendBuffer(bytes: Int) {
    _ = csystem_set_option(descriptor, SOL_SOCKET, SO_SNDBUF, Int32(clamping: bytes))
  }

  /// Sets the size of the kernel's receive buffer; the kernel doubles it.
  public borrowing func setReceiveBuffer(bytes: Int) {
    _ = csystem_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, Int32(clamping: bytes))
  }
}

// MARK: Facts

/// Who is at the other end of a Unix socket.
public struct PeerCredentials: Sendable, Equatable {
  /// The process that connected, or listened.
  public let process: Int32
  /// Its effective user.
  public let user: UInt32
  /// Its effective group.
  public let group: UInt32
}

extension Socket {
  /// The TCP port that this end has; 0 for a Unix socket.
  public var localPort: UInt16 { localAddress?.port ?? 0 }

  /// The IP address and port that this end has; nil for a Unix socket.
  public var localAddress: (address: IPAddress, port: UInt16)? {
    var address = csystem_address()
    guard unsafe csystem_local_address(descriptor, &address) == 0, address.is_internet else { return nil }
    return (IPAddress(high: address.high, low: address.low), address.port)
  }

  /// The path of a Unix socket that has one, empty for one that has none; nil for another socket.
  var localPath: String? {
    guard csystem_option(descriptor, SOL_SOCKET, SO_DOMAIN) == AF_UNIX else { return nil }
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 109) { buffer in
      guard let start = buffer.baseAddress, unsafe csystem_local_path(descriptor, start) == 0 else { return nil }
      return unsafe String(cString: start)
    }
  }

  /// Who is at the other end of a Unix socket, as the kernel recorded it when they connected.
  ///
  /// - Throws: `SystemError` for a socket that has no such record.
  public borrowing func peerCredentials() throws(SystemError) -> PeerCredentials {
    var peer = csystem_credentials()
    guard unsafe csystem_peer_credentials(descriptor, &peer) == 0 else { throw SystemError.last("getsockopt") }
    return PeerCredentials(process: peer.process, user: peer.user, group: peer.group)
  }

  /// Whether the connection is over, with nothing read of it.
  ///
  /// - Parameter ended: whether a peer that has only ended its sending side counts too.
  public borrowing func isHungUp(orEnded ended: Bool) -> Bool {
    csystem_is_hung_up(descriptor, ended)
  }

  /// The error that a connection attempt ended with, or nil. Reading it clears it.
  public borrowing func takeError() -> SystemError? {
    let error = csystem_pending_error(descriptor)
    return error == 0 ? nil : SystemError("connect", errno: error)
  }
}
