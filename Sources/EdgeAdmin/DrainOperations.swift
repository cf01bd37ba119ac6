public import EdgeCore

extension AdminAPI {
  /// What concerns the drain of the whole edge.
  static let drainOperations: [AdminOperation] = [
    .write(.post, "/api/v1/drain", by: .operator, action: "edge.drain") { call throws(AdminProblem) in try call.drain() },
    .write(.post, "/api/v1/undrain", by: .operator, action: "edge.undrain") { call throws(AdminProblem) in
      try AdminMembers(call.request).finish()
      let backend = call.backend
      guard try call.asked({ () throws(AdminBackendError) in try backend.undrain() }) else {
        throw AdminProblem(409, "ending", "The process ends with this drain; it cannot be taken back.")
      }
      return .json(["draining": false])
    },
  ]
}

/// How an operator wants the edge drained: the body of `POST /api/v1/drain`. What is absent, the configuration says.
public struct DrainOrder: Equatable, Sendable {
  /// From the beginning until clients are told to go.
  public var delay: Duration?
  /// Over how long they are told, evenly.
  public var spread: Duration?
  /// From the beginning until whoever is left is cut off.
  public var timeout: Duration?
  /// Whether the process ends with it.
  public var endsProcess: Bool

  init(_ request: AdminRequest) throws(AdminProblem) {
    var members = try AdminMembers(request)
    delay = try members.takeSeconds("delay_seconds")
    spread = try members.takeSeconds("spread_seconds")
    timeout = try members.takeSeconds("timeout_seconds")
    endsProcess = try members.takeFlag("exit") ?? false
    try members.finish()
  }

  /// What is said of it in the audit log.
  var json: JSON {
    var members: [JSON.Member] = []
    for (name, time) in [("delay_seconds", delay), ("spread_seconds", spread), ("timeout_seconds", timeout)] {
      if let time { members.append(.init(name: name, value: time.json)) }
    }
    members.append(.init(name: "exit", value: .bool(endsProcess)))
    return .object(members)
  }
}

/// A drain that goes on.
public struct AdminDrain: Equatable, Sendable {
  /// When it began.
  public var beganAt: WallTime
  /// Over how long clients are told to go.
  public var spread: Duration
  /// When the last of them is told.
  public var endsAt: WallTime
  /// Whether the process ends with it.
  public var endsProcess: Bool

  /// Makes a drain.
  public init(beganAt: WallTime, spread: Duration, endsAt: WallTime, endsProcess: Bool) {
    self.beganAt = beganAt
    self.spread = spread
    self.endsAt = endsAt
    self.endsProcess = endsProcess
  }

  var json: [JSON.Member] {
    [
      .init(name: "began_at", value: .string(beganAt.rfc3339)), .init(name: "spread_seconds", value: spread.json),
      .init(name: "ends_at", value: .string(endsAt.rfc3339)), .init(name: "exit", value: .bool(endsProcess)),
    ]
  }
}

extension AdminCall {
  fileprivate mutating func drain() throws(AdminProblem) -> AdminResponse {
    let order = try DrainOrder(request)
    detail = order.json
    let (drain, connections) = try asked { () throws(AdminBackendError) in try backend.drain(order) }
    let count = JSON.integer(Int64(connections))
    detail = .object((order.json.members ?? []) + [.init(name: "connections", value: count)])
    return .json(.object([.init(name: "draining", value: true), .init(name: "connections", value: count)] + drain.json))
  }
}
