import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// Decides who may come in: route, ban and limits of the address, opening handshake, origin, token, ban and limits of the user, in
/// this order. What is cheap and needs no secret comes first.
struct Gate {
  private let snapshot: Snapshot

  init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
  }

  /// Judges one request.
  func judge(_ head: RequestHead, from client: Client, context: ReactorContext) -> GateVerdict {
    let origin = RequestOrigin(head, from: client, trustedProxies: snapshot.trustedProxies)
    if origin.isSpoofed { context.metrics.forwardingSpoofed() }
    do {
      return try admit(head, from: client, origin: origin, context: context)
    } catch {
      return .refused(error)
    }
  }

  /// Judges the token that the first message of a WebSocket brought, which the edge has accepted for it.
  ///
  /// - Parameter message: the message's payload.
  func judge(
    token message: [UInt8], of pending: PendingAdmission, from client: Client, context: ReactorContext
  ) -> GateVerdict {
    do throws(Refusal) {
      // A reload since then may have taken the route away, or the keys.
      guard let route = snapshot.route(named: pending.route.name) else { throw .noRoute(pending.origin) }
      let user = try authenticate(route: route, origin: pending.origin, context: context) { gate throws(TokenError) in
        guard let text = TokenEnvelope.token(in: message) else { throw .invalid(.malformed) }
        return try gate.verify(text, now: WallClock.now(), cache: &context.tokens, metrics: context.metrics)
      }
      var places = pending.places
      if let user {
        places.user = try takePlace(of: user.id, route: route, from: client, origin: pending.origin, context: context)
      }
      return .admitted(
        Admission(
          route: route, head: pending.head, origin: pending.origin, user: user, upgrade: pending.upgrade,
          certificateFields: try certificateFields(of: client, route: route, origin: pending.origin), places: places,
          context: context))
    } catch {
      return .refused(error)
    }
  }

  /// Judges the token that a message brought to renew the one that a WebSocket came in with: it must be the same user's, and last
  /// longer.
  ///
  /// - Parameter message: the message's payload.
  func judge(
    renewal message: [UInt8], of user: UserID, replacing held: TokenLife, route: Route, context: ReactorContext
  ) throws(TokenError) -> TokenLife {
    guard let gate = route.gate, let text = TokenEnvelope.token(in: message) else { throw .invalid(.malformed) }
    let token = try gate.verify(text, now: WallClock.now(), cache: &context.tokens, metrics: context.metrics)
    guard UserID(auth: gate.name, subject: token.subject) == user else { throw .invalid(.otherUser) }
    let life = gate.life(of: token)
    guard life.end > held.end else { throw .invalid(.notFresher) }
    guard context.shared.rules.refusal(of: user, token: life) == nil else { throw .invalid(.revoked) }
    return life
  }

  private func admit(
    _ head: RequestHead, from client: Client, origin: RequestOrigin, context: ReactorContext
  ) throws(Refusal) -> GateVerdict {
    guard let route = snapshot.route(host: head.host, path: head.target.path) else { throw .noRoute(origin) }
    if let ban = context.shared.rules.ban(of: origin.clientAddress) {
      throw .ruledOut(by: ban, route, address: origin.clientAddress, closes: !origin.isProxied)
    }
    guard !context.isDraining else { throw .draining(route, origin) }
    if let overload = client.overload { throw .overLimit(overload, route, origin) }
    var places = HeldPlaces()
    var upgrade: Upgrade?
    if OpeningRequest.isAttempt(head) {
      places.address = try takePlaceOfAddress(route: route, from: client, origin: origin, context: context)
      upgrade = try self.upgrade(head, route: route, origin: origin, context: context)
    }
    let verdict = route.origins.decide(
      origins: head.fields.all("Origin"), scheme: origin.scheme, host: head.host,
      port: head.authority?.port, isUpgrade: upgrade != nil)
    if case .denied(let denial) = verdict { throw .originDenied(denial, route, origin) }
    let certificate = try certificateFields(of: client, route: route, origin: origin)
    var worker = head
    if route.stripsToken { route.gate?.strip(&worker) }
    route.affinity.strip(&worker)
    do {
      let user = isPreflight(head) ? nil : try authenticate(head, route: route, origin: origin, context: context)
      if upgrade != nil, let user {
        places.user = try takePlace(of: user.id, route: route, from: client, origin: origin, context: context)
      }
      return .admitted(
        Admission(
          route: route, head: worker, origin: origin, user: user, upgrade: upgrade, certificateFields: certificate,
          places: places, context: context))
    } catch {
      guard error.result == .tokenMissing, let upgrade,
        let pending = PendingAdmission(route, worker, origin, upgrade, places: places)
      else { throw error }
      return .awaitsToken(pending)
    }
  }

  private func upgrade(
    _ head: RequestHead, route: Route, origin: RequestOrigin, context: ReactorContext
  ) throws(Refusal) -> Upgrade {
    do {
      return try Upgrade(head, route: route, random: (context.random.word(), context.random.word()))
    } catch {
      throw .badHandshake(error, route, origin)
    }
  }

  private func certificateFields(
    of client: Client, route: Route, origin: RequestOrigin
  ) throws(Refusal) -> [HTTPField] {
    do {
      return try client.certificateFields()
    } catch {
      throw .longSubject(route, origin)
    }
  }

  private func authenticate(
    _ head: RequestHead, route: Route, origin: RequestOrigin, context: ReactorContext
  ) throws(Refusal) -> AuthenticatedUser? {
    try authenticate(route: route, origin: origin, context: context) { gate throws(TokenError) in
      try gate.verify(head, now: WallClock.now(), cache: &context.tokens, metrics: context.metrics)
    }
  }

  private func authenticate(
    route: Route, origin: RequestOrigin, context: ReactorContext, verify: (TokenGate) throws(TokenError) -> VerifiedToken
  ) throws(Refusal) -> AuthenticatedUser? {
    guard let gate = route.gate else { return nil }
    let user: AuthenticatedUser
    do throws(TokenError) {
      let token = try verify(gate)
      user = AuthenticatedUser(
        id: UserID(auth: gate.name, subject: token.subject), token: gate.life(of: token),
        identityFields: try route.identityFields(token))
    } catch {
      if error.isGuess { try chargeGuess(route: route, origin: origin, context: context) }
      throw .badToken(error, route, origin)
    }
    if let rule = context.shared.rules.refusal(of: user.id, token: user.token) {
      throw .ruledOut(by: rule, route, address: origin.clientAddress, closes: false)
    }
    return user
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
  /// The edge is to accept the WebSocket itself: its first message brings the token.
  case awaitsToken(PendingAdmission)
  case refused(Refusal)
}

/// Where a request comes from, after trusted proxies were believed.
struct RequestOrigin {
  /// The client and then the trusted proxies it came through; empty for a peer without an address that tells none.
  let clientChain: [IPAddress]
  let scheme: HTTPScheme
  /// Whether the request bore forwarding fields that nobody believes.
  let isSpoofed: Bool
  /// Whether a trusted proxy tells who the client is: accepting has not charged it then.
  let isProxied: Bool
  /// Whose limits hold: the client's; nil for a trusted proxy's own requests, and for a client without an address.
  let limitedAddress: IPAddress?

  init(_ head: RequestHead, from client: Client, trustedProxies: TrustedProxies) {
    let chain = ClientChain(fields: head.fields, peer: client.peer, trustedProxies: trustedProxies)
    clientChain = chain.addresses
    scheme = chain.scheme ?? (client.isEncrypted ? .https : .http)
    isSpoofed = chain.isSpoofed
    isProxied = chain.client != client.peer.ip
    limitedAddress = chain.client.flatMap { trustedProxies.contains($0) ? nil : $0 }
  }

  /// The client's own address; nil for a peer on a Unix socket that tells none.
  var clientAddress: IPAddress? { clientChain.first }
}

/// A user whose token was verified, and what the worker is told of them.
struct AuthenticatedUser {
  let id: UserID
  let token: TokenLife
  let identityFields: [HTTPField]
}

/// An upgrade that lacks nothing but its token, which its first message is to bring.
struct PendingAdmission {
  let route: Route
  /// The client's request, without what the route strips.
  let head: RequestHead
  let origin: RequestOrigin
  /// Its worker is offered exactly the subprotocol that the edge has chosen.
  let upgrade: Upgrade
  let subprotocol: String?
  /// What it holds of the limits already.
  let places: HeldPlaces

  /// Nil where the route takes no token from the first message, or the client offers no subprotocol that could be chosen.
  init?(_ route: Route, _ head: RequestHead, _ origin: RequestOrigin, _ upgrade: Upgrade, places: HeldPlaces) {
    guard route.gate?.takesFirstMessage == true else { return nil }
    switch route.edgeChoice(of: upgrade.client.subprotocols) {
    case .nothing: subprotocol = nil
    case .name(let name): subprotocol = name
    case .impossible: return nil
    }
    self.route = route
    self.head = head
    self.origin = origin
    self.places = places
    self.upgrade = Upgrade(upgrade, subprotocols: subprotocol.map { [$0] } ?? [])
  }
}

/// Both opening handshakes of one WebSocket: the client's, and the edge's own with the worker.
struct Upgrade {
  let client: OpeningRequest
  let worker: WorkerHandshake

  init(_ head: RequestHead, route: Route, random: (UInt64, UInt64)) throws(OpeningError) {
    client = try OpeningRequest(checking: head)
    worker = WorkerHandshake(key: HandshakeKey(random: random), subprotocols: route.subprotocols(of: client.subprotocols))
  }

  /// The same, with a worker that is offered `subprotocols`.
  init(_ upgrade: Upgrade, subprotocols: [String]) {
    client = upgrade.client
    worker = WorkerHandshake(key: upgrade.worker.key, subprotocols: subprotocols)
  }
}
