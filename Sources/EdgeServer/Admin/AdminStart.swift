import EdgeAdmin
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeTelemetry

extension AdminServer {
  /// Binds the admin plane's addresses, serves `backend` on them, and tells `log` where.
  ///
  /// - Returns: the server, and where it is, in the order of the configuration; ports are the real ones.
  /// - Throws: `StartError` when an address or the tokens file cannot be used.
  static func start(
    _ settings: Configuration.Admin, inherited: InheritedSockets, access: AdminAccess, backend: some AdminBackend, log: EdgeLog
  ) throws(StartError) -> (server: AdminServer, addresses: [String]) {
    var sockets: [AdminSocket] = []
    for address in settings.listen {
      if !settings.allowPublic { try address.checkLocal(inherited) }
      sockets.append(try AdminSocket(address, inherited: inherited, scope: .full))
    }
    if let address = settings.metricsListen {
      sockets.append(try AdminSocket(address, inherited: inherited, scope: .metricsOnly))
    }
    let server: AdminServer
    do {
      server = try AdminServer(
        listeners: sockets.map(\.listener), api: AdminAPI(backend: backend, access: access),
        environment: AdminEnvironment(now: MonotonicClock.now, peerUserID: Socket.peerUserID(ofDescriptor:)))
    } catch {
      throw .system("\(error)")
    }
    for socket in sockets {
      log.write(.info, "admin.ready", "Operators are served.") { line in line.add(.serverAddress, socket.address) }
    }
    return (server, sockets.map(\.address))
  }
}

extension AdminAccess {
  /// Lets in whom the configuration names.
  ///
  /// - Throws: `StartError` when the tokens file, or a socket that was passed, cannot be used.
  convenience init(_ settings: Configuration.Admin, inherited: InheritedSockets) throws(StartError) {
    var hosts: [String] = []
    for address in settings.listen {
      if let host = try address.ip(inherited) { hosts.append(host.description) }
    }
    self.init(
      tokens: try AdminTokens.read(settings), allowedHosts: hosts, ownUserID: Machine.ownUserID,
      cryptography: .init(sha256: Digest.sha256, constantTimeEquals: constantTimeEquals))
  }
}

extension AdminTokens {
  /// The tokens that the configuration's file names; nil without a file.
  ///
  /// - Throws: `StartError.configuration` when the file cannot be used.
  static func read(_ settings: Configuration.Admin) throws(StartError) -> AdminTokens? {
    guard let path = settings.tokensFile else { return nil }
    do {
      return try AdminTokens(parsing: try FileSystem.readFile(path, maxBytes: maxTokensFileBytes))
    } catch {
      throw .configuration("admin.tokens_file \(path): \(error)")
    }
  }
}

/// A socket that the admin plane accepts on.
private struct AdminSocket {
  let listener: AdminListener
  /// Where it listens; the port is the real one where the configuration said 0.
  let address: String

  init(_ address: Configuration.ListenAddress, inherited: InheritedSockets, scope: AdminAPI.Scope) throws(StartError) {
    (listener, self.address) = try address.bind(inherited) { ip, port throws(SystemError) in
      let socket = try Socket.listen(tcp: ip, port: port)
      let listener = AdminListener(descriptor: try socket.duplicateDescriptor(), kind: .tcp, scope: scope)
      return (listener, PeerAddress.ip(ip, port: socket.localPort).description)
    } unix: { path throws(SystemError) in
      let descriptor = try Socket.listen(unixPath: path).duplicateDescriptor()
      return (AdminListener(descriptor: descriptor, kind: .unix, scope: scope), "unix:\(path)")
    } passed: { passed throws(SystemError) in
      let kind: AdminListener.Kind =
        switch passed.place {
        case .tcp: .tcp
        case .unix: .unix
        }
      let descriptor = try passed.socket.socket.duplicateDescriptor()
      return (AdminListener(descriptor: descriptor, kind: kind, scope: scope), passed.place.description)
    }
  }
}

extension Configuration.ListenAddress {
  /// The address that a TCP socket has, or will have.
  ///
  /// - Throws: `StartError.bind` where it is to be one that was not passed.
  fileprivate func ip(_ inherited: InheritedSockets) throws(StartError) -> IPAddress? {
    try bind(inherited) { ip, _ in
      ip
    } unix: { _ in
      nil
    } passed: { passed in
      if case .tcp(let ip, port: _) = passed.place { ip } else { nil }
    }
  }

  /// Refuses a socket that was passed and that other machines reach; of other addresses the configuration has said so already.
  ///
  /// - Throws: `StartError.bind`.
  fileprivate func checkLocal(_ inherited: InheritedSockets) throws(StartError) {
    guard let ip = try ip(inherited), !ip.isLoopback else { return }
    throw .bind(
      address: text,
      reason: "\(ip) is open to other machines; expected a loopback address or a Unix socket, or admin.allow_public: true")
  }
}

private let maxTokensFileBytes = 1 << 20
