import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgePolicy
import EdgeRelay
import EdgeWebSocket

/// A route as the reactors use it: the configuration's, with everything resolved. Immutable.
final class Route: Sendable {
  /// Its place in the metrics.
  let index: Int
  let name: String
  let pool: WorkerPoolState
  /// What ties its clients to the pool's workers.
  let affinity: ClientAffinity
  let origins: OriginRule
  /// Who judges tokens; nil where the route is open.
  let gate: TokenGate?
  /// Headers that the edge alone sets, most of them to tell the worker who the user is.
  let identityHeaders: [Configuration.HeaderRule]
  /// Those among them that say the same of everyone: all that the worker gets where no user is known.
  let fixedFields: [HTTPField]
  let stripsToken: Bool
  let relayLimits: Shared<RelayLimits>
  /// The most that may wait for a slow peer, in bytes.
  let maxSendQueueBytes: Int
  let closeCodes: Configuration.CloseCodes
  /// How a refused upgrade is told.
  let reject: Configuration.Rejections
  /// What each connection may send.
  private let messageLimits: MessageLimits
  private let subprotocols: [String]

  /// - Parameters:
  ///   - index: its place in the metrics.
  ///   - pool: the pool that it names.
  ///   - affinity: for that pool.
  ///   - gate: for the `auth` that it names.
  init(
    _ route: Configuration.Route, index: Int, pool: WorkerPoolState, affinity: ClientAffinity, gate: TokenGate?,
    timeouts: Configuration.Timeouts
  ) {
    self.index = index
    self.pool = pool
    self.affinity = affinity
    self.gate = gate
    name = route.name
    origins = route.origins
    identityHeaders = route.headers.set
    fixedFields = route.headers.set.compactMap { header in
      // Without claims no value is too long, and none that takes a claim has a value.
      guard let value = try? header.value.value(for: [:]) else { return nil }
      return HTTPField(name: header.name, value: value)
    }
    stripsToken = route.headers.stripToken
    subprotocols = route.subprotocols
    relayLimits = Shared(
      RelayLimits(
        maxMessageBytes: route.maxMessage, checksUTF8: route.checkUTF8, pingInterval: route.ping.interval,
        pingTimeout: route.ping.timeout, idleTimeout: route.idleTimeout, closeTimeout: timeouts.close,
        takesTokens: route.renew == .message, givesNotice: route.notice == .envelope,
        closeCodes: RelayCloseCodes(route.closeCodes)))
    maxSendQueueBytes = route.maxSendQueue
    closeCodes = route.closeCodes
    reject = route.reject
    messageLimits = MessageLimits(messages: route.messages, bytes: route.bytes)
  }

  /// What the messages of a new connection are charged to.
  func meteredScopes() -> [MeteredScope] {
    messageLimits.isEmpty ? [] : [MeteredScope(.connection, limits: messageLimits, state: SharedMeter())]
  }

  /// What the worker is told of a verified user.
  ///
  /// - Throws: `TokenError.invalid` where a claim is too long for a header.
  func identityFields(_ token: VerifiedToken) throws(TokenError) -> [HTTPField] {
    var fields: [HTTPField] = []
    for header in identityHeaders {
      if let value = try header.value.value(for: token.claims) { fields.append(HTTPField(name: header.name, value: value)) }
    }
    return fields
  }

  /// What the worker is offered of a client's subprotocols: those that the route lists, or all; never one that bears a token,
  /// for the worker could choose it, and the answer would show it.
  func subprotocols(of offered: [String]) -> [String] {
    let plain = gate?.withoutTokens(offered) ?? offered
    return subprotocols.isEmpty ? plain : plain.filter(subprotocols.contains)
  }
}

extension Route {
  /// What the edge itself may choose of a client's subprotocols, before a worker does: the first that the route lists, else the
  /// first that bears no token. A browser fails a 101 that chooses none of those it offered.
  func edgeChoice(of offered: [String]) -> EdgeSubprotocol {
    guard !offered.isEmpty else { return .nothing }
    let plain = offered.filter { !TokenSource.isBearerSubprotocol($0) }
    return (plain.first(where: subprotocols.contains) ?? plain.first).map { .name($0) } ?? .impossible
  }
}

/// The subprotocol of a WebSocket that the edge accepts itself.
enum EdgeSubprotocol: Equatable {
  /// The client offers none.
  case nothing
  case name(String)
  /// The client offers tokens only.
  case impossible
}

extension RelayCloseCodes {
  fileprivate init(_ codes: Configuration.CloseCodes) {
    self.init(
      idle: CloseCode(rawValue: codes.idle), timeout: CloseCode(rawValue: codes.timeout),
      workerLost: CloseCode(rawValue: codes.workerLost), auth: CloseCode(rawValue: codes.auth),
      rate: CloseCode(rawValue: codes.rate), policy: CloseCode(rawValue: codes.policy))
  }
}
