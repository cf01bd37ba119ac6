public import EdgeCore

/// Something that happened to the edge, as `GET /api/v1/events` tells it.
public struct AdminEvent: Sendable {
  /// What kind of thing happened.
  public enum Kind: String, Sendable, CaseIterable {
    /// A WebSocket was opened.
    case opened
    /// A WebSocket has ended.
    case closed
    /// A WebSocket was denied, or a client was turned away before it asked for one.
    case denied
    /// A client went beyond a limit, after a time in which it kept within all of them.
    case throttled
    /// A worker came, went, or is judged differently.
    case worker
    /// The configuration was read again, with success or without.
    case reload
    /// The edge began to send its clients away, or stopped doing so.
    case drain
    /// A rule came, or went.
    case rule
  }

  /// What kind of thing happened.
  public var kind: Kind
  /// When.
  public var at: WallTime
  /// The route that it concerns.
  public var route: String?
  /// The user whom it concerns.
  public var user: String?
  /// The address that it concerns.
  public var address: IPAddress?
  /// What else there is to say. Never a token, a query string or a cookie: viewers read this.
  public var details: [JSON.Member]

  /// Makes an event.
  public init(
    _ kind: Kind, at: WallTime, route: String? = nil, user: String? = nil, address: IPAddress? = nil,
    details: [JSON.Member] = []
  ) {
    self.kind = kind
    self.at = at
    self.route = route
    self.user = user
    self.address = address
    self.details = details
  }

  /// The event as a server-sent event (HTML Living Standard §9.2.5): its serial number, its kind, and one line of JSON.
  func text(serial: UInt64) -> [UInt8] {
    var members = [JSON.Member(name: "at", value: .string(at.rfc3339))]
    if let route { members.append(JSON.Member(name: "route", value: .string(route))) }
    if let user { members.append(JSON.Member(name: "user", value: .string(user))) }
    if let address { members.append(JSON.Member(name: "client_address", value: .string(address.description))) }
    return serverSentEvent(kind.rawValue, id: serial, .object(members + details))
  }
}

/// One event of a stream; the JSON has no line break of its own.
func serverSentEvent(_ name: String, id: UInt64? = nil, _ data: JSON) -> [UInt8] {
  var text: [UInt8] = []
  if let id { text += "id: \(id)\n".utf8 }
  text += "event: \(name)\ndata: ".utf8
  data.encode(into: &text)
  text += "\n\n".utf8
  return text
}
