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
    _ settings: Configuration.Admin, access: AdminAccess, backend: some AdminBackend, log: EdgeLog
  ) throws(StartError) -> (server: AdminServer, addresses: [String]) {
    var sockets: [AdminSocket] = []
    for address in settings.listen { sockets.append(try AdminSocket(address, scope: .full)) }
    if let address = settings.metricsListen { sockets.append(try AdminSocket(address, scope: .metricsOnly)) }
    let server: AdminServer
    do {
      server = try AdminServer(
        listeners: sockets.map(\.listener), api: AdminAPI(backend: backend, access: access),
        environment: AdminEnvironment(now: MonotonicClock.now, peerUserID: Socket.peerUserID(ofDescriptor:)))
    } catch {
      throw .system("\(error)")
    }
    for socket in sockets {
      log.write(.info, "admin.ready", "Operators are served.") { record in record[.serverAddress] = .text(socket.address) }
    }
    return (server, sockets.map(\.address))
  }
}

extension AdminAccess {
  /// Lets in whom the configuration names.
  ///
  /// - Throws: `StartError.configuration` when the tokens file cannot be used.
  convenience init(_ settings: Configuration.Admin) throws(StartError) {
    self.init(
      tokens: try AdminTokens.read(settings), allowedHosts: settings.listen.compactMap(\.host), ownUserID: Machine.ownUserID,
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

  init(_ address: Configuration.ListenAddress, scope: AdminAPI.Scope) throws(StartError) {
    (listener, self.address) = try address.bind { ip, port throws(SystemError) in
      let socket = try Socket.listen(tcp: ip, port: port)
      let listener = AdminListener(descriptor: try socket.duplicateDescriptor(), kind: .tcp, scope: scope)
      return (listener, PeerAddress.ip(ip, port: socket.localPort).description)
    } unix: { path throws(SystemError) in
      let descriptor = try Socket.listen(unixPath: path).duplicateDescriptor()
      return (AdminListener(descriptor: descriptor, kind: .unix, scope: scope), "unix:\(path)")
    }
  }
}

extension Configuration.ListenAddress {
  /// What `Host` may say to reach a TCP address by its number.
  fileprivate var host: String? {
    switch self {
    case .tcp(let ip, port: _): ip.description
    case .unix, .systemd: nil
    }
  }
}

private let maxTokensFileBytes = 1 << 20
