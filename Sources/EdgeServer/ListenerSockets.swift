import EdgeConfig
import EdgeCore
import EdgeIO

/// The sockets of one listener: one for each reactor on TCP, where the kernel spreads the clients, and one for all of them
/// on a Unix path.
struct ListenerSockets {
  let sockets: [SharedSocket]
  /// Where it listens, as `sluice` prints it; the port is the real one where the configuration said 0.
  let address: String

  /// - Throws: `StartError.bind`.
  init(_ address: Configuration.ListenAddress, reactors: Int) throws(StartError) {
    do {
      switch address {
      case .tcp(let ip, let port):
        if port != 0 { try Socket.checkUnused(tcp: ip, port: port) }
        let first = SharedSocket(try Socket.listen(tcp: ip, port: port, reusePort: true))
        let bound = first.socket.localPort
        var all = [first]
        for _ in 1..<max(1, reactors) { all.append(SharedSocket(try Socket.listen(tcp: ip, port: bound, reusePort: true))) }
        sockets = all
        self.address = PeerAddress.ip(ip, port: bound).description
      case .unix(let path):
        let socket = SharedSocket(try Socket.listen(unixPath: path))
        sockets = Array(repeating: socket, count: reactors)
        self.address = "unix:\(path)"
      case .systemd(let name):
        throw StartError.bind(address: "fd://\(name)", reason: "socket activation is not supported yet")
      }
    } catch let error as StartError {
      throw error
    } catch {
      throw .bind(address: address.text, reason: "\(error)")
    }
  }
}
