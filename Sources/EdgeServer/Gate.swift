import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// Decides who may come in: route, connection cap, opening handshake, origin, token, in this order. What is cheap and
/// needs no secret comes first.
struct Gate {
  private let snapshot: Snapshot

  init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
  }

  /// Judges one request.
  func judge(_ head: RequestHead, from client: ClientConnection, context: ReactorContext) -> GateVerdict {
    let origin = RequestOrigin(head, from: client, trustedProxies: snapshot.trustedProxies)
    do {
      return .admitted(try admit(head, from: client, origin: origin, context: context))
    } catch {
      return .refused(error)
    }
  }

  private func admit(
    _ head: RequestHead, from client: ClientConnection, origin: RequestOrigin, context: ReactorContext
  ) throws(Refusal) -> Admission {
    guard let route = snapshot.route(host: head.host, path: head.target.path) else { throw .noRoute(origin) }
    if let cap = client.exceededCap { throw .overCap(cap, route, origin) }
    let upgrade = try upgrade(head, route: route, origin: origin)
    let fields = head.fields
    let verdict = route.origins.decide(
      origins: fields.all("Origin"), scheme: origin.scheme, host: head.host,
      port: head.authority?.port, isUpgrade: upgrade != nil)
    if case .denied(let denial) = verdict { throw .originDenied(denial, route, origin) }
    var worker = head
    if route.stripsToken { route.gate?.strip(&worker) }
    let user = isPreflight(head) ? nil : try authenticate(head, route: route, origin: origin, context: context)
    return Admission(route: route, head: worker, origin: origin, user: user, upgrade: upgrade, snapshot: snapshot)
  }

  private func upgrade(_ head: RequestHead, route: Route, origin: RequestOrigin) throws(Refusal) -> Upgrade? {
    guard OpeningRequest.isAttempt(head) else { return nil }
    do {
      return try Upgrade(head, route: route)
    } catch {
      throw .badHandshake(error, route, origin)
    }
  }

  private func authenticate(
    _ head: RequestHead, route: Route, origin: RequestOrigin, context: ReactorContext
  ) throws(Refusal) -> AuthenticatedUser? {
    guard let gate = route.gate else { return nil }
    do {
      let token = try gate.verify(head, now: WallClock.now(), cache: &context.tokens)
      return AuthenticatedUser(
        id: UserID(auth: gate.name, subject: token.subject), token: gate.life(of: token),
        identityFields: try route.identityFields(token))
    } catch {
      throw .badToken(error, route, origin)
    }
  }

  /// A browser asks before it sends what needs asking; the worker answers. Such a request has neither credentials nor a body:
  /// one that has is like any other.
  private func isPreflight(_ head: RequestHead) -> Bool {
    guard head.method == "OPTIONS" else { return false }
    let hasBody = head.bodyFraming != .none && head.bodyFraming != .length(0)
    let hasCredentials = head.fields.contains("Authorization") || head.fields.contains("Cookie")
    return head.fields.contains("Origin") && head.fields.contains("Access-Control-Request-Method")
      && !hasBody && !hasCredentials
  }
}

/// What the gate says.
enum GateVerdict {
  case admitted(Admission)
  case refused(Refusal)
}

/// Where a request comes from, after trusted proxies were believed.
struct RequestOrigin {
  /// The client and then the trusted proxies it came through; empty for a peer without an address.
  let clientChain: [IPAddress]
  let scheme: HTTPScheme
  /// Whether the request bore forwarding fields that nobody believes.
  let isSpoofed: Bool

  init(_ head: RequestHead, from client: ClientConnection, trustedProxies: [CIDR]) {
    let own: HTTPScheme = client.isEncrypted ? .https : .http
    guard let peer = client.peer.ip else {
      clientChain = []
      scheme = own
      isSpoofed = false
      return
    }
    let chain = ClientChain(fields: head.fields, peer: peer, trustedProxies: trustedProxies)
    clientChain = chain.addresses
    scheme = chain.scheme ?? own
    isSpoofed = chain.isSpoofed
  }

  /// The client's own address; nil for a peer on a Unix socket.
  var clientAddress: IPAddress? { clientChain.first }
}

/// A user whose token was verified, and what the worker is told of them.
struct AuthenticatedUser {
  let id: UserID
  let token: TokenLife
  let identityFields: [HTTPField]
}

/// Both opening handshakes of one WebSocket: the client's, and the edge's own with the worker.
struct Upgrade {
  let client: OpeningRequest
  let worker: WorkerHandshake

  init(_ head: RequestHead, route: Route) throws(OpeningError) {
    client = try OpeningRequest(checking: head)
    worker = WorkerHandshake(key: .random(), subprotocols: route.subprotocols(of: client.subprotocols))
  }
}

extension HandshakeKey {
  fileprivate static func random() -> HandshakeKey {
    HandshakeKey(randomBytes: SecureRandom.bytes(count: byteCount))
  }
}
