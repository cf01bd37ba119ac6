import ArgumentParser
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS

/// What is loaded, and how a client introduces itself.
struct TargetOptions: ParsableArguments {
  @Option(help: "Where the proxy listens: an address of this machine's loopback, and a port.")
  var connect = LoopbackEndpoint(address: IPAddress(v4: 0x7f00_0001), port: 8443)

  @Flag(help: "Without TLS.")
  var plain = false

  @Option(help: "The host that is asked for, in Host and in TLS.")
  var host = "localhost"

  @Option(help: "The path of the WebSocket.")
  var path = "/ws"

  @Option(help: "The value of Origin; none is sent without it.")
  var origin: String?

  @Option(help: "A file with the token for Authorization: Bearer; none is sent without it.")
  var tokenFile: String?

  @Option(help: "How many loopback addresses the clients come from, in turn; 0 leaves the choice to the kernel.")
  var sources = 0

  @Option(help: "How many connections are opened at the same time.")
  var openAtOnce = 50

  @Option(help: "The proxy's process, to say what the load cost it.")
  var serverPid: Int32?

  @Option(help: "Give up after so many seconds.")
  var giveUpAfter = 120

  func validate() throws {
    guard (0...50_000).contains(sources) else { throw ValidationError("--sources must be 0 to 50000") }
    guard (1...10_000).contains(openAtOnce) else { throw ValidationError("--open-at-once must be 1 to 10000") }
    guard (1...3600).contains(giveUpAfter) else { throw ValidationError("--give-up-after must be 1 to 3600") }
  }

  /// The target that these options name.
  ///
  /// - Throws: `ValidationError` for an unreadable token, host or path; `TLSError` when OpenSSL has no memory.
  func makeTarget() throws -> Target {
    var fields: HTTPFields = ["Host": host]
    if let origin { fields.add("Origin", origin) }
    if let tokenFile { fields.add("Authorization", "Bearer \(try token(in: tokenFile))") }
    guard let path = try? RequestTarget(parsing: path), let authority = try? Authority(parsing: host) else {
      throw ValidationError("--host or --path is not one that a request can bear")
    }
    let tls = plain ? nil : try TLSClientContext(trust: .anyone, applicationProtocols: ["http/1.1"])
    return Target(
      endpoint: connect, sourceCount: sources, serverName: host, tls: tls,
      request: RequestHead(method: "GET", target: path, authority: authority, fields: fields))
  }

  private func token(in file: String) throws -> String {
    guard let bytes = try? FileSystem.readFile(file, maxBytes: 1 << 16) else {
      throw ValidationError("--token-file \(file) cannot be read")
    }
    return String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
  }
}

/// What is loaded, ready for use.
struct Target {
  let endpoint: LoopbackEndpoint
  let sourceCount: Int
  let serverName: String
  /// Nil for plain text.
  let tls: TLSClientContext?
  /// The request without the fields of the opening handshake.
  let request: RequestHead

  /// The address that client `index` comes from; nil leaves the choice to the kernel.
  func source(of index: Int) -> IPAddress? {
    guard sourceCount > 0 else { return nil }
    let turn = index % sourceCount
    // 127.1.0.1 and following, leaving out .0 and .255, which look like networks.
    return IPAddress(v4: 0x7f01_0000 + UInt32(turn / 254) << 8 + UInt32(turn % 254) + 1)
  }
}

/// `127.0.0.1:8443`: a port of the loopback. Other machines are nobody's to load.
struct LoopbackEndpoint: ExpressibleByArgument {
  let address: IPAddress
  let port: UInt16

  init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...]) else {
      return nil
    }
    let host = argument[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
    guard let address = IPAddress(host), address.isLoopback, port > 0 else { return nil }
    self.init(address: address, port: port)
  }

  var defaultValueDescription: String { "\(address):\(port)" }
}
