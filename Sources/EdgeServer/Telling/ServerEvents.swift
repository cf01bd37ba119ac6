import EdgeAdmin
import EdgeAuth
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeRelay
import EdgeTelemetry
import EdgeWebSocket

/// What is told to those who follow the edge's events: the same as in the log, with the same restraint.
extension AdminEvent {
  /// A WebSocket was opened.
  static func opened(_ client: Client, _ tunnel: Tunnel) -> AdminEvent {
    about(.opened, client, tunnel, ["worker": .string(tunnel.workerPath)])
  }

  /// A WebSocket has ended.
  static func closed(_ client: Client, _ tunnel: Tunnel, _ ending: RelayEnding) -> AdminEvent {
    about(
      .closed, client, tunnel,
      [
        "worker": .string(tunnel.workerPath), "close_code": .integer(Int64(ending.code.rawValue)),
        "close_reason": .string(ending.reason), "close_initiator": .string(ending.initiator.rawValue),
        "messages_in": .integer(Int64(clamping: tunnel.received.messages)),
        "messages_out": .integer(Int64(clamping: tunnel.sent.messages)),
      ])
  }

  /// A client went beyond a limit, after a time in which it kept within all of them.
  static func throttled(_ client: Client, _ tunnel: Tunnel, _ excess: LimitExcess) -> AdminEvent {
    about(
      .throttled, client, tunnel,
      ["scope": .string(excess.scope.word), "reason": .string(excess.kind.word), "action": .string(excess.action.word)])
  }

  /// A WebSocket was denied.
  static func denied(
    _ client: Client, address: IPAddress?, user: UserID?, route: Route?, status: Int, refusal: Refusal?
  ) -> AdminEvent {
    AdminEvent(
      .denied, at: WallClock.now(), route: route?.name, user: user?.subject, address: address,
      details: [
        .init(name: "id", value: .string(client.id.description)),
        .init(name: "listener", value: .string(client.listener.name)), .init(name: "status", value: .integer(Int64(status))),
        .init(name: "result", value: refusal.map { .string($0.result.word) } ?? .null),
        .init(name: "reason", value: refusal.map { .string($0.detail) } ?? .null),
      ])
  }

  /// A client over a limit was reset, without an answer.
  static func turnedAway(_ peer: PeerAddress, listener: ListenerContext, _ overload: Overload) -> AdminEvent {
    AdminEvent(
      .denied, at: WallClock.now(), address: peer.ip,
      details: [
        .init(name: "listener", value: .string(listener.name)), .init(name: "status", value: .null),
        .init(name: "result", value: .string(overload.result.word)), .init(name: "reason", value: .string(overload.detail)),
      ])
  }

  /// A rule came.
  static func added(_ rule: Rule) -> AdminEvent { about(rule, "added") }

  /// A rule was taken away.
  static func removed(_ rule: Rule) -> AdminEvent { about(rule, "removed") }

  /// A rule's time is over.
  static func expired(_ rule: Rule) -> AdminEvent { about(rule, "expired") }

  /// The edge begins to send its clients away, or stops doing so.
  static func drain(_ state: String, connections: Int) -> AdminEvent {
    AdminEvent(
      .drain, at: WallClock.now(),
      details: [
        .init(name: "state", value: .string(state)), .init(name: "connections", value: .integer(Int64(connections))),
      ])
  }

  private static func about(_ rule: Rule, _ change: String) -> AdminEvent {
    AdminEvent(
      .rule, at: WallClock.now(), user: rule.effect.user, address: rule.effect.address,
      details: [.init(name: "change", value: .string(change)), .init(name: "rule", value: rule.json)])
  }

  private static func about(
    _ kind: Kind, _ client: Client, _ tunnel: Tunnel, _ details: KeyValuePairs<String, JSON>
  ) -> AdminEvent {
    AdminEvent(
      kind, at: WallClock.now(), route: tunnel.route.name, user: tunnel.caller.user?.subject, address: tunnel.caller.address,
      details: [
        JSON.Member(name: "id", value: .string(client.id.description)),
        JSON.Member(name: "listener", value: .string(client.listener.name)),
      ] + details.map { JSON.Member(name: $0.key, value: $0.value) })
  }
}

extension RuleEffect {
  fileprivate var user: String? {
    switch self {
    case .ban(.user(let name)), .throttle(.user(let name), _), .revoke(.ofUser(let name, _)): name.text
    case .ban(.network), .throttle(.network, _), .revoke(.token), .revoke(.ofAuth): nil
    }
  }

  /// The address that it is about, where it is about one alone.
  fileprivate var address: IPAddress? {
    switch self {
    case .ban(.network(let block)), .throttle(.network(let block), _): block.prefixBits == 128 ? block.network : nil
    case .ban(.user), .throttle(.user, _), .revoke: nil
    }
  }
}
