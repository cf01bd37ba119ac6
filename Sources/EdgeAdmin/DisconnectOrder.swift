internal import EdgeCore

/// The body of `DELETE /api/v1/connections/{id}`: `{"code": 4403, "reason": "kicked"}`, both members optional, as is the body.
struct DisconnectOrder: Equatable {
  /// A close code that an endpoint may send (RFC 6455 §7.4).
  let code: UInt16
  /// At most 123 bytes, what a Close frame has room for (RFC 6455 §5.5).
  let reason: String

  init(_ request: AdminRequest) throws(AdminProblem) {
    guard let body = try request.json() else {
      (code, reason) = (defaultCode, defaultReason)
      return
    }
    guard let members = body.members, members.allSatisfy({ ["code", "reason"].contains($0.name) }) else {
      throw AdminProblem(400, "bad_body", "The body must be an object with the members code and reason, or one of them.")
    }
    guard let code = (body["code"] ?? .integer(Int64(defaultCode))).integerValue.flatMap({ UInt16(exactly: $0) }), maySend(code)
    else {
      throw AdminProblem(400, "bad_body", "code must be 1000, 1001, 1008, 1011, 1012, 1013 or from 3000 to 4999.")
    }
    guard let reason = (body["reason"] ?? .string(defaultReason)).stringValue, reason.utf8.count <= maxReasonBytes,
      !reason.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else {
      throw AdminProblem(400, "bad_body", "reason must be text of at most \(maxReasonBytes) bytes without control characters.")
    }
    (self.code, self.reason) = (code, reason)
  }

  var json: JSON { ["code": .integer(Int64(code)), "reason": .string(reason)] }
}

private func maySend(_ code: UInt16) -> Bool {
  switch code {
  case 1000, 1001, 1008, 1011, 1012, 1013, 3000...4999: true
  default: false
  }
}

private let defaultCode: UInt16 = 4403
private let defaultReason = "kicked"
private let maxReasonBytes = 123
