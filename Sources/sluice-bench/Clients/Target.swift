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

  @Option(help: "A field that each request bears besides, such as 'Cookie: session=1'; may be given many times.")
  var header: [HeaderOption] = []

  @Option(help: "A subprotocol to offer; may be given many times, best first.")
  var subprotocol: [String] = []

  @Flag(help: "WebSockets as streams of HTTP/2 connections (RFC 8441), instead of one connection of HTTP/1.1 for each.")
  var http2 = false

  @Option(help: "How many WebSockets share a connection of HTTP/2.")
  var streams = 10

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
    guard (1...1000).contains(streams) else { throw ValidationError("--streams must be 1 to 1000") }
    guard subprotocol.allSatisfy(ASCII.isToken) else { throw ValidationError("--subprotocol must be a token") }
  }

  /// The target that these options name.
  ///
  /// - Throws: `ValidationError` for an unreadable token, host or path; `TLSError` when OpenSSL has no memory.
  func makeTarget() throws -> Target {
    var fields: HTTPFields = ["Host": host]
    if let origin { fields.add("Origin", origin) }
    if let tokenFile { fields.add("Authorization", "Bearer \(try token(in: tokenFile))") }
    for option in header { fields.add(option.field) }
    guard let path = try? RequestTarget(parsing: path), let authority = try? Authority(parsing: host) else {
      throw ValidationError("--host or --path is not one that a request can bear")
    }
    let tls = plain ? nil : try TLSClientContext(trust: .anyone, applicationProtocols: [http2 ? "h2" : "http/1.1"])
    return Target(
      endpoint: connect, sourceCount: sources, serverName: host, tls: tls, streamsPerConnection: http2 ? streams : nil,
      request: RequestHead(method: "GET", target: path, authority: authority, fields: fields), subprotocols: subprotocol)
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
  /// How many clients share a connection of HTTP/2; nil for HTTP/1.1.
  let streamsPerConnection: Int?
  /// The request without the fields of the opening handshake.
  let request: RequestHead
  /// What is offered, best first.
  let subprotocols: [String]

  /// What carries the WebSockets, for a report.
  var protocolName: String { streamsPerConnection.map { "h2, \($0) streams a connection" } ?? "http/1.1" }

  /// The fields of an extended CONNECT (RFC 8441 §4), for a connection of HTTP/2.
  var streamFields: [(name: [UInt8], value: [UInt8])] {
    var fields = [
      (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", tls == nil ? "http" : "https"),
      (":path", request.target.description), (":authority", serverName), ("sec-websocket-version", "13"),
    ]
    if !subprotocols.isEmpty { fields.append(("sec-websocket-protocol", subprotocols.joined(separator: ", "))) }
    for field in request.fields where !field.isNamed("Host") { fields.append((field.name.lowercased(), field.value)) }
    return fields.map { (name: Array($0.0.utf8), value: Array($0.1.utf8)) }
  }

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

/// `Name: value`, a field of a request.
struct HeaderOption: ExpressibleByArgument {
  let field: HTTPField

  init?(argument: String) {
    guard let colon = argument.firstIndex(of: ":") else { return nil }
    let name = String(argument[..<colon])
    guard HTTPField.isValidName(name) else { return nil }
    field = HTTPField(name: name, value: String(argument[argument.index(after: colon)...].drop { $0 == " " }))
  }
}
