import EdgeCore

@testable import EdgeTLS

/// A client and a server that talk through memory, each over a scratch of its own.
final class Pair {
  private(set) var client: Endpoint
  private(set) var server: Endpoint
  /// The most ciphertext bytes that one offer carries.
  var chunkBytes = Int.max

  init(
    server context: TLSServerContext, client clientContext: TLSClientContext, serverName: String? = nil,
    resuming ticket: TLSClientTicket? = nil
  ) throws(TLSError) {
    let clientScratch = try TLSScratch()
    let serverScratch = try TLSScratch()
    client = Endpoint(
      session: try TLSSession(client: clientContext, scratch: clientScratch, serverName: serverName, resuming: ticket),
      scratch: clientScratch)
    server = Endpoint(session: try TLSSession(server: context, scratch: serverScratch), scratch: serverScratch)
  }

  /// Runs both handshakes to their ends, and carries what follows them (tickets).
  func handshake() throws(TLSError) -> (client: TLSInfo, server: TLSInfo) {
    client.step()
    for _ in 0..<10 where client.info == nil || server.info == nil {
      pump()
      if let failure = server.failure ?? client.failure { throw failure }
    }
    pump()
    guard let clientInfo = client.info, let serverInfo = server.info else { throw .truncated }
    return (clientInfo, serverInfo)
  }

  /// Carries all ciphertext both ways until neither has any.
  func pump() {
    while true {
      let fromClient = client.takeOutput()
      let fromServer = server.takeOutput()
      if fromClient.isEmpty && fromServer.isEmpty { return }
      server.receive(fromClient, chunkBytes: chunkBytes)
      client.receive(fromServer, chunkBytes: chunkBytes)
    }
  }
}

/// One side of a `Pair`, and all it received so far.
final class Endpoint {
  var session: TLSSession
  let scratch: TLSScratch
  private(set) var info: TLSInfo?
  private(set) var failure: TLSError?
  private(set) var isClosed = false
  private(set) var received: [UInt8] = []
  private let plaintext: UnsafeMutableRawBufferPointer

  init(session: consuming TLSSession, scratch: TLSScratch) {
    self.session = session
    self.scratch = scratch
    plaintext = .allocate(byteCount: scratch.plaintextBytes, alignment: 1)
  }

  deinit { plaintext.deallocate() }

  /// Takes bytes of the peer; without a peer, tests pass what they like.
  func receive(_ bytes: [UInt8], chunkBytes: Int = .max) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = rest.prefix(min(chunkBytes, scratch.input.count))
      scratch.input.copyBytes(from: chunk)
      scratch.offer(count: chunk.count)
      rest = rest.dropFirst(chunk.count)
      step()
    }
  }

  /// The peer's stream ends.
  func receiveEnd() {
    scratch.offer(count: 0, ended: true)
    step()
  }

  func step() {
    if info == nil && failure == nil {
      switch session.handshake() {
      case .done(let info): self.info = info
      case .needsInput: return
      case .failed(let error): failure = error
      }
    }
    while failure == nil && !isClosed {
      switch session.read(into: plaintext) {
      case .bytes(let count): received += plaintext[..<count]
      case .needsInput: return
      case .closed: isClosed = true
      case .failed(let error): failure = error
      }
    }
  }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool { session.write(bytes.span) }

  func takeOutput() -> [UInt8] {
    defer { scratch.clearOutput() }
    return scratch.outputBytes
  }
}

/// Certificates and contexts that many tests share; making RSA keys is slow.
enum Fixture {
  static let now = WallTime(seconds: 1_800_000_000)
  static let identity = identity(["localhost"])
  static let rsaKey = key(.rsa(bits: 2048))
  static let ecKey = key(.ec(curve: "P-256"))
  static let anyone = client()

  static func key(_ kind: KeyHandle.Kind) -> KeyHandle {
    do { return try KeyHandle(generating: kind) } catch { fatalError("\(error)") }
  }

  static func identity(_ names: [String], key: KeyHandle = ecKey, from start: Int64 = 0, to end: Int64 = 3_000_000_000)
    -> PEMIdentity
  {
    do {
      return try SelfSigned.certificate(names: names, key: key, from: start, to: end)
    } catch { fatalError("\(error)") }
  }

  static func ring() -> TicketKeyRing {
    TicketKeyRing(now: Instant(nanoseconds: 0))
  }

  static func server(
    _ identities: [PEMIdentity] = [identity], protocols: [String] = [], minVersion: TLSVersion = .tls12,
    ring: TicketKeyRing = ring()
  ) throws(CertificateError) -> TLSServerContext {
    try TLSServerContext(
      certificates: identities.map { $0.source(name: "test") }, applicationProtocols: protocols, minVersion: minVersion,
      ticketKeys: ring, now: now)
  }

  static func client(
    _ versions: ClosedRange<TLSVersion> = .tls12 ... .tls13, protocols: [String] = [], trust: TLSClientContext.Trust = .anyone
  ) -> TLSClientContext {
    do {
      return try TLSClientContext(trust: trust, applicationProtocols: protocols, versions: versions)
    } catch { fatalError("\(error)") }
  }
}

/// Bytes without a period that a lost or repeated record could hide in.
func pattern(_ count: Int) -> [UInt8] {
  var state: UInt64 = 0x9e37_79b9_7f4a_7c15
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
}

extension TLSScratch {
  var outputBytes: [UInt8] { withOutput { output in output.indices.map { output[$0] } } }
}
