import EdgeAdmin
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeTelemetry

extension AdminServer {
  /// Binds the admin plane's addresses and serves `backend` on them.
  ///
  /// - Throws: `StartError` when an address or the tokens file cannot be used.
  static func start(_ settings: Configuration.Admin, backend: some AdminBackend) throws(StartError) -> AdminServer {
    var listeners: [AdminListener] = []
    for address in settings.listen { listeners.append(try AdminListener(address, scope: .full)) }
    if let address = settings.metricsListen { listeners.append(try AdminListener(address, scope: .metricsOnly)) }
    let access = AdminAccess(
      tokens: try tokens(settings.tokensFile), allowedHosts: settings.listen.compactMap(\.host), ownUserID: Machine.ownUserID,
      cryptography: .init(sha256: Digest.sha256, constantTimeEquals: constantTimeEquals))
    do {
      return try AdminServer(
        listeners: listeners, api: AdminAPI(backend: backend, access: access),
        environment: AdminEnvironment(now: MonotonicClock.now, peerUserID: Socket.peerUserID(ofDescriptor:)))
    } catch {
      throw .system("\(error)")
    }
  }

  /// Reads the files that the settings name, without serving.
  ///
  /// - Throws: `StartError.configuration`.
  static func checkFiles(of settings: Configuration.Admin) throws(StartError) {
    _ = try tokens(settings.tokensFile)
  }

  private static func tokens(_ path: String?) throws(StartError) -> AdminTokens? {
    guard let path else { return nil }
    do {
      return try AdminTokens(parsing: try FileSystem.readFile(path, maxBytes: maxTokensFileBytes))
    } catch {
      throw .configuration("admin.tokens_file \(path): \(error)")
    }
  }
}

extension AdminListener {
  fileprivate init(_ address: Configuration.ListenAddress, scope: AdminAPI.Scope) throws(StartError) {
    do {
      switch address {
      case .tcp(let ip, let port):
        self.init(descriptor: try Socket.listen(tcp: ip, port: port).duplicateDescriptor(), kind: .tcp, scope: scope)
      case .unix(let path):
        self.init(descriptor: try Socket.listen(unixPath: path).duplicateDescriptor(), kind: .unix, scope: scope)
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

extension Configuration.ListenAddress {
  /// What `Host` may say to reach a TCP address by its number.
  fileprivate var host: String? {
    switch self {
    case .tcp(let ip, port: _): ip.isIPv4 ? ip.description : "[\(ip)]"
    case .unix, .systemd: nil
    }
  }
}

private let maxTokensFileBytes = 1 << 20
