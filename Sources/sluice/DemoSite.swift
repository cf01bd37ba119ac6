import ArgumentParser
import ControlCore
import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeServer
import EdgeTLS

/// What the demo needs around the edge: a directory of its own with certificate and keys, and two chat workers.
final class DemoSite {
  private let directory: String
  private let workers: [ChildProcess]
  /// Signs in to the console, as admin. It lasts as long as the demo.
  let adminToken: String

  /// Makes the files and starts the workers. Call it before any thread exists.
  ///
  /// - Parameter tokenLifetime: how long a login lasts; whole seconds count.
  /// - Throws: an exit code, after the reason was printed.
  init(tokenLifetime: Duration) throws {
    do {
      directory = try ProcessEnvironment.makeTemporaryDirectory("sluice-demo")
      let identity = try SelfSigned.certificate(
        names: ["localhost"], addresses: [IPAddress(v4: 0x7f00_0001), IPAddress(high: 0, low: 1)], now: WallClock.now())
      let key = try SigningKey(generating: .es256)
      try Self.write(identity.chain, "\(directory)/cert.pem")
      try Self.write(identity.key, "\(directory)/key.pem")
      try Self.write(try key.pem() ?? [], "\(directory)/login.pem")
      let keys: JSON = ["keys": .array([key.publicJWK(id: "demo") ?? .null])]
      try Self.write(keys.encoded(), "\(directory)/jwks.json")
      let minted = MintedToken(
        random: SecureRandom.bytes(count: 32), role: "admin", name: "demo", sha256: { Digest.sha256($0) })
      adminToken = minted.token
      try Self.write(Array("\(minted.line)\n".utf8), "\(directory)/admin-tokens")
    } catch {
      throw ExitCode.failure.saying("the demo cannot be set up: \(error)")
    }
    let program = try Self.workerProgram()
    var workers: [ChildProcess] = []
    for number in 1...2 {
      workers.append(
        try ChildProcess(
          path: program,
          arguments: [
            "--listen", "unix:\(directory)/chat-\(number).sock", "--broker", "unix:\(directory)/broker.sock", "--login-key",
            "\(directory)/login.pem", "--issuer", Self.issuer, "--audience", Self.audience,
            "--token-lifetime", String(max(1, Int(tokenLifetime.inSeconds))),
          ]))
    }
    self.workers = workers
  }

  /// Waits until the workers listen, for ten seconds at most.
  func waitForWorkers() throws {
    let reactor = try Reactor()
    let deadline = reactor.now + .seconds(10)
    while FileSystem.glob("\(directory)/chat-*.sock").count < workers.count {
      guard reactor.now < deadline, workers.allSatisfy(\.isRunning) else {
        remove()
        throw ExitCode.failure.saying("the demo's chat workers did not start")
      }
      reactor.runTurn(until: reactor.now + .milliseconds(20))
    }
  }

  /// The edge's configuration, which the documentation shows too.
  func configuration(port: UInt16, adminPort: UInt16) -> ConfigurationSource {
    let text = """
      state_dir: \(directory)
      listeners:
        - name: demo
          address: "127.0.0.1:\(port)"
          tls: {certificates: [{chain: \(directory)/cert.pem, key: \(directory)/key.pem}]}
      auth:
        demo:
          issuer: \(Self.issuer)
          audience: [\(Self.audience)]
          algorithms: [ES256]
          keys: {file: \(directory)/jwks.json}
          token_from: [cookie:session, header]
          leeway: 1s
      pools:
        chat:
          workers: [\(directory)/chat-1.sock, \(directory)/chat-2.sock]
      routes:
        - name: chat
          match: {path: /ws}
          pool: chat
          auth: demo
          origins: same-origin
          messages: {rate: 2/s, burst: 8, over: delay}
          notice: envelope
          renew: message
          reject: {origin: close, auth: close, rate: close, banned: close}
          headers: {set: {X-Sluice-User: "{claim.sub}"}}
        - name: page
          match: {path: /}
          pool: chat
      limits:
        per_ip: {connections: 500, handshakes: {rate: 100/s, burst: 500}}
      admin:
        listen: ["127.0.0.1:\(adminPort)", "unix:\(directory)/admin.sock"]
        tokens_file: \(directory)/admin-tokens
      drain: {delay: 0s, spread: 1s, timeout: 5s}
      log: {format: text, level: warn}
      """
    return ConfigurationSource(text: text, name: "demo")
  }

  /// Where the page is.
  func url(of server: Server) -> String {
    let port = server.addresses.first?.split(separator: ":").last ?? ""
    return "https://localhost:\(port)/"
  }

  /// Where the console is.
  func consoleURL(of server: Server) -> String {
    "http://\(server.adminAddresses.first ?? "")/"
  }

  /// Ends the workers, and removes the files.
  func remove() {
    for worker in workers { worker.terminate() }
    FileSystem.removeTree(directory)
  }

  /// The chat worker that was built beside this program.
  private static func workerProgram() throws -> String {
    let own = ProcessEnvironment.executablePath ?? ""
    let program = own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/chat-worker"
    guard FileSystem.status(of: program) != nil else {
      throw ExitCode.failure.saying("\(program) is missing; build it with `make build`")
    }
    return program
  }

  private static func write(_ bytes: [UInt8], _ path: String) throws {
    let file = try AppendFile(path: path)
    guard case .bytes(bytes.count) = file.write(bytes.span) else { throw ExitCode.failure.saying("\(path) cannot be written") }
  }

  private static let issuer = "sluice-demo"
  private static let audience = "chat"
}

extension ConfigurationSource {
  /// Reads a configuration of the program's own.
  ///
  /// - Throws: `StartError.configuration`, which would be a mistake of ours.
  func readOwn() throws(StartError) -> Configuration {
    do {
      return try read()
    } catch {
      throw .configuration(error.description)
    }
  }
}
