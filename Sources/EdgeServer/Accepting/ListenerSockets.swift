import EdgeConfig
import EdgeCore
import EdgeIO

/// The sockets of one listener: one for each reactor on TCP, where the kernel spreads the clients, and one for all of them
/// on a Unix path.
struct ListenerSockets {
  let sockets: [SharedSocket]
  /// Where it listens, as `sluice` prints it; the port is the real one where the configuration said 0.
  let address: String

  /// The sockets of every listener, in the order of the configuration. What listens at an address already goes on.
  ///
  /// - Throws: `StartError.bind` for the first address that cannot be had.
  static func all(
    of configuration: Configuration, keeping previous: Snapshot?, reactors: Int
  ) throws(StartError) -> [ListenerSockets] {
    var open = previous.map { Array(zip($0.configuration.listeners, $0.sockets)) } ?? []
    var all: [ListenerSockets] = []
    for listener in configuration.listeners {
      let isSame = { (other: Configuration.Listener) in
        other.address == listener.address && (other.name == listener.name || !listener.address.isChosenByKernel)
      }
      if let index = open.firstIndex(where: { isSame($0.0) }) {
        all.append(open.remove(at: index).1)
      } else {
        all.append(try ListenerSockets(listener.address, reactors: reactors))
      }
    }
    return all
  }

  /// - Throws: `StartError.bind`.
  init(_ address: Configuration.ListenAddress, reactors: Int) throws(StartError) {
    (sockets, self.address) = try address.bind { ip, port throws(SystemError) in
      if port != 0 { try Socket.checkUnused(tcp: ip, port: port) }
      let first = SharedSocket(try Socket.listen(tcp: ip, port: port, reusePort: true))
      let bound = first.socket.localPort
      var all = [first]
      for _ in 1..<max(1, reactors) { all.append(SharedSocket(try Socket.listen(tcp: ip, port: bound, reusePort: true))) }
      return (all, PeerAddress.ip(ip, port: bound).description)
    } unix: { path throws(SystemError) in
      (Array(repeating: SharedSocket(try Socket.listen(unixPath: path)), count: reactors), "unix:\(path)")
    }
  }
}

extension Configuration.ListenAddress {
  /// Binds it as its kind asks; every error names the address.
  ///
  /// - Throws: `StartError.bind`.
  func bind<Bound>(
    tcp: (IPAddress, UInt16) throws(SystemError) -> Bound, unix: (String) throws(SystemError) -> Bound
  ) throws(StartError) -> Bound {
    do throws(SystemError) {
      switch self {
      case .tcp(let ip, let port): return try tcp(ip, port)
      case .unix(let path): return try unix(path)
      case .systemd: break
      }
    } catch {
      throw .bind(address: text, reason: "\(error)")
    }
    throw .bind(address: text, reason: "socket activation is not supported yet")
  }

  /// Whether it stands for another port each time.
  fileprivate var isChosenByKernel: Bool {
    if case .tcp(_, port: 0) = self { true } else { false }
  }
}
