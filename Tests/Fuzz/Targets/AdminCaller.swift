import EdgeAdmin
import EdgeCore

/// Who sends a request to the admin plane, and where.
struct AdminCaller {
  let peer: AdminPeer
  let scope: AdminAPI.Scope
  /// What the caller may do; nil for a stranger.
  let role: AdminRole?
  /// What stands in Authorization.
  let authorization: String?

  init(_ choice: UInt8) {
    scope = choice & 0x80 == 0 ? .full : .metricsOnly
    switch choice & 7 {
    case 0: (peer, role, authorization) = (.unix(userID: 0), .admin, nil)
    case 1: (peer, role, authorization) = (.unix(userID: 1000), .admin, "Bearer view")
    case 2: (peer, role, authorization) = (.unix(userID: 7), .operator, "Bearer oper")
    case 3: (peer, role, authorization) = (.unix(userID: nil), nil, nil)
    case 4: (peer, role, authorization) = (loopback, .admin, "bearer boss")
    case 5: (peer, role, authorization) = (loopback, .viewer, "Bearer view")
    case 6: (peer, role, authorization) = (loopback, nil, "Bearer vie")
    default: (peer, role, authorization) = (loopback, nil, nil)
    }
  }
}

/// A request of the script's, whose usual fields `choice` picks.
func adminRequest(_ caller: AdminCaller, _ choice: UInt8, _ script: inout Script) -> AdminRequest {
  var fields: [(name: String, value: String)] = []
  if let authorization = caller.authorization { fields.append(("Authorization", authorization)) }
  switch choice & 3 {
  case 0: fields.append(("Host", "localhost:9901"))
  case 1: fields.append(("host", "edge.internal"))
  case 2: fields.append(("Host", "evil.example:9901"))
  default: break
  }
  switch choice >> 2 & 3 {
  case 0, 1: break
  case 2: fields.append(("Origin", "http://localhost:9901"))
  default: fields.append(("Origin", "http://evil.example"))
  }
  if choice & 0x10 == 0 { fields.append(("Content-Type", "application/json")) }
  let method = methods[Int(choice >> 5)]
  let target = String(decoding: script.bytes(), as: UTF8.self)
  for _ in 0..<(script.byte() ?? 0) & 3 {
    fields.append((String(decoding: script.bytes(), as: UTF8.self), String(decoding: script.bytes(), as: UTF8.self)))
  }
  return AdminRequest(method: method, target: target, fields: fields, body: script.remainder())
}

private let methods = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "get"]
