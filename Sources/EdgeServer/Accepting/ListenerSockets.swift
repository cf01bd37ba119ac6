import EdgeConfig
import EdgeCore
import EdgeIO

/// The sockets of one listener: one for each reactor on TCP, where the kernel spreads the clients, and one for all of them
/// on a Unix path, or where the service manager opened it.
struct ListenerSockets {
  let sockets: [SharedSocket]
  /// Where it listens, as `sluice` prints it; the port is the real one where the configuration said 0.
  let address: String

  /// The sockets of every listener, in the order of the configuration. What listens at an address already goes on.
  ///
  /// - Throws: `StartError.bind` for the first address that cannot be had.
  static func all(
    of configuration: Configuration, keeping previous: Snapshot?, inherited: InheritedSockets, reactors: Int
  ) throws(StartError) -> [ListenerSockets] {
    try inherited.checkUsedOnce(by: configuration)
    var open = previous.map { Array(zip($0.configuration.listeners, $0.sockets)) } ?? []
    var all: [ListenerSockets] = []
    for listener in configuration.listeners {
      let isSame = { (other: Configuration.Listener) in
        other.address == listener.address && (other.name == listener.name || !listener.address.isChosenByKernel)
      }
      if let index = open.firstIndex(where: { isSame($0.0) }) {
        all.append(open.remove(at: index).1)
      } else {
        all.append(try ListenerSockets(listener.address, inherited: inherited, reactors: reactors))
      }
    }
    return all
  }

  /// - Throws: `StartError.bind`.
  init(_ address: Configuration.ListenAddress, inherited: InheritedSockets, reactors: Int) throws(StartError) {
    (sockets, self.address) = try address.bind(inherited) { ip, port throws(SystemError) in
      if port != 0 { try Socket.checkUnused(tcp: ip, port: port) }
      let first = SharedSocket(try Socket.listen(tcp: ip, port: port, reusePort: true))
      let bound = first.socket.localPort
      var all = [first]
      for _ in 1..<max(1, reactors) { all.append(SharedSocket(try Socket.listen(tcp: ip, port: bound, reusePort: true))) }
      return (all, PeerAddress.ip(ip, port: bound).description)
    } unix: { path throws(SystemError) in
      (Array(repeating: SharedSocket(try Socket.listen(unixPath: path)), count: reactors), "unix:\(path)")
    } passed: { socket in
      (Array(repeating: socket.socket, count: reactors), socket.place.description)
    }
  }
}

extension Configuration.ListenAddress {
  /// Binds it as its kind asks, or finds it among those that were passed; every error names the address.
  ///
  /// - Throws: `StartError.bind`.
  func bind<Bound>(
    _ inherited: InheritedSockets, tcp: (IPAddress, UInt16) throws(SystemError) -> Bound,
    unix: (String) throws(SystemError) -> Bound, passed: (InheritedSocket) throws(SystemError) -> Bound
  ) throws(StartError) -> Bound {
    do {
      switch self {
      case .tcp(let ip, let port): return try tcp(ip, port)
      case .unix(let path): return try unix(path)
      case .systemd(let name): return try passed(try inherited.socket(name))
      }
    } catch {
      throw .bind(address: text, reason: "\(error)")
    }
  }

  /// Whether it stands for another port each time.
  fileprivate var isChosenByKernel: Bool {
    if case .tcp(_, port: 0) = self { true } else { false }
  }
}

extension InheritedSockets {
  /// Refuses a configuration that uses one socket under two names: its clients would be served as either.
  ///
  /// - Throws: `StartError.bind`, also for a name that none was passed under.
  fileprivate func checkUsedOnce(by configuration: Configuration) throws(StartError) {
    var seen: [Int32: String] = [:]
    for address in configuration.socketAddresses {
      let number: Int32? = try address.bind(self) { _, _ in
        nil
      } unix: { _ in
        nil
      } passed: {
        $0.socket.socket.descriptor
      }
      guard let number else { continue }
      if let other = seen.updateValue(address.text, forKey: number) {
        throw .bind(address: address.text, reason: "it is the socket of \(other)")
      }
    }
  }
}
