import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgePolicy
import EdgeTelemetry
import EdgeWebSocket

/// An answer that the edge gives in a worker's place: what the client reads, and the word that metrics and logs know it by.
struct Refusal: Error {
  let response: EdgeResponse
  let result: HandshakeResult
  /// What exactly was wrong, for the log alone; nothing of a token is in it.
  let detail: String
  let route: Route?
  let address: IPAddress?
  /// Which of the route's close codes tells it to a client whose WebSocket was accepted.
  let closeCode: CloseCodeKey

  typealias CloseCodeKey = any KeyPath<Configuration.CloseCodes, UInt16> & Sendable

  private init(
    _ status: Int, _ result: HandshakeResult, _ sentence: String, closeCode: CloseCodeKey = \.policy, detail: String? = nil,
    code: String? = nil, route: Route? = nil, address: IPAddress? = nil, retryAfterSeconds: Int? = nil, closes: Bool = false,
    fields: HTTPFields = [:]
  ) {
    response = EdgeResponse(
      status: status, code: code ?? result.word, detail: sentence, retryAfterSeconds: retryAfterSeconds, closesConnection: closes,
      fields: fields)
    self.result = result
    self.detail = detail ?? code ?? result.word
    self.route = route
    self.address = address
    self.closeCode = closeCode
  }
}

extension Refusal {
  static func noRoute(_ origin: RequestOrigin) -> Refusal {
    Refusal(404, .noRoute, "Nothing is served at this host and path.", address: origin.clientAddress)
  }

  /// A connection that is its client's own ends with it; one of a proxy goes on for others.
  static func overLimit(_ overload: Overload, _ route: Route, _ origin: RequestOrigin) -> Refusal {
    let closeCode: CloseCodeKey =
      switch overload {
      case .banned: \.banned
      case .addressIsFull, .addressIsTooFast, .userIsFull: \.rate
      case .edgeIsFull, .edgeIsTooBusy: \.overload
      }
    return Refusal(
      overload.status, overload.result, overload.sentence, closeCode: closeCode, detail: overload.detail, route: route,
      address: origin.clientAddress,
      retryAfterSeconds: overload.retryAfterSeconds(), closes: !origin.isProxied)
  }

  /// - Parameters:
  ///   - rule: a ban or a revocation.
  ///   - closes: whether nobody else uses the connection, so that a ban may end it.
  static func ruledOut(by rule: Rule, _ route: Route, address: IPAddress?, closes: Bool) -> Refusal {
    switch rule.effect {
    case .ban, .throttle:
      Refusal(
        403, .banned, "You may not connect here.", closeCode: \.banned, route: route, address: address,
        retryAfterSeconds: rule.expires.map { max(1, Int(clamping: $0.seconds - WallClock.now().seconds + 1)) }, closes: closes)
    case .revoke: badToken(.invalid(.revoked), route, address: address)
    }
  }

  static func badHandshake(_ error: OpeningError, _ route: Route, _ origin: RequestOrigin) -> Refusal {
    Refusal(
      error.status, .badRequest, "The opening handshake does not follow RFC 6455 section 4.", code: error.rawValue, route: route,
      address: origin.clientAddress, fields: error.responseFields)
  }

  static func originDenied(_ denial: OriginDenial, _ route: Route, _ origin: RequestOrigin) -> Refusal {
    Refusal(
      403, .originDenied, "Pages of this origin may not connect here.", detail: denial.rawValue, route: route,
      address: origin.clientAddress)
  }

  static func longSubject(_ route: Route, _ origin: RequestOrigin) -> Refusal {
    Refusal(
      431, .badRequest, "The subject of the client's certificate is too long.", code: "certificate_subject_too_long",
      route: route, address: origin.clientAddress)
  }

  static func badToken(_ error: TokenError, _ route: Route, _ origin: RequestOrigin) -> Refusal {
    badToken(error, route, address: origin.clientAddress)
  }

  private static func badToken(_ error: TokenError, _ route: Route, address: IPAddress?) -> Refusal {
    let result: HandshakeResult =
      switch error {
      case .missing: .tokenMissing
      case .expired: .tokenExpired
      case .invalid: .tokenInvalid
      }
    let challenge =
      switch error {
      case .missing: "Bearer"
      case .expired, .invalid: "Bearer error=\"invalid_token\""
      }
    return Refusal(
      401, result, "A valid token is needed. Log in again.", closeCode: \.auth, detail: error.detail, route: route,
      address: address, fields: ["WWW-Authenticate": challenge])
  }

  /// The first message of a client that owes a token is something else.
  static func otherFirstMessage(_ pending: PendingAdmission) -> Refusal {
    badToken(.missing, pending.route, pending.origin)
  }

  static func firstMessageTimeout(_ pending: PendingAdmission) -> Refusal {
    Refusal(
      408, .timeout, "The token's message came too slowly.", closeCode: \.timeout, code: "first_message_timeout",
      route: pending.route, address: pending.origin.clientAddress)
  }

  /// Another edge serves who asks again, or this one after a while.
  static func draining(_ route: Route, _ origin: RequestOrigin) -> Refusal {
    Refusal(
      503, .edgeLimit, "The server is going away. Connect again.", closeCode: \.drain, code: "draining", route: route,
      address: origin.clientAddress, retryAfterSeconds: 5 + Int.random(in: 0...5), closes: true)
  }

  static func draining(_ pending: PendingAdmission) -> Refusal {
    Refusal(
      503, .edgeLimit, "The server is going away. Connect again.", closeCode: \.drain, code: "edge_draining",
      route: pending.route,
      address: pending.origin.clientAddress)
  }

  static func replaced(_ admission: Admission) -> Refusal {
    Refusal(
      429, .userLimit, "A newer connection of the same user has taken this one's place.", closeCode: \.replaced, code: "replaced",
      route: admission.route, address: admission.caller.address)
  }

  static func noWorker(_ admission: Admission) -> Refusal {
    Refusal(
      503, .noWorker, "No worker can take the request now. Try again.", closeCode: \.overload, route: admission.route,
      address: admission.caller.address,
      retryAfterSeconds: 1)
  }

  static func workerError(_ detail: String, _ admission: Admission) -> Refusal {
    Refusal(
      502, .workerError, "The worker did not answer properly.", closeCode: \.workerLost, detail: detail, route: admission.route,
      address: admission.caller.address)
  }

  static func workerTimeout(_ admission: Admission) -> Refusal {
    Refusal(
      504, .timeout, "The worker did not answer in time.", closeCode: \.workerLost, detail: "worker_timeout",
      route: admission.route,
      address: admission.caller.address)
  }

  static func badBody(_ error: HTTPParseError, _ admission: Admission?) -> Refusal {
    Refusal(
      error.status, .badRequest, "The request's body does not follow RFC 9112 or 9113.", code: error.code,
      route: admission?.route,
      address: admission?.caller.address, closes: true)
  }

  static func bodyTimeout(_ admission: Admission?) -> Refusal {
    Refusal(
      408, .timeout, "The request's body came too slowly.", code: "body_timeout", route: admission?.route,
      address: admission?.caller.address, closes: true)
  }

  static func badHead(_ error: HTTPParseError) -> Refusal {
    Refusal(
      error.status, .badRequest, "The request does not follow RFC 9112 or 9113 as strictly as this server asks.",
      code: error.code,
      closes: true)
  }

  static func headTimeout() -> Refusal {
    Refusal(408, .timeout, "The request's head came too slowly.", code: "head_timeout", closes: true)
  }
}
