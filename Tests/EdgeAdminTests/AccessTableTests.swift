import EdgeCore
import EdgePolicy
import EdgeTelemetry
import Synchronization
import Testing

@testable import EdgeAdmin

/// What holds for every operation, whatever it does.
@Suite struct `Every operation` {
  @Test(arguments: Row.all)
  func `needs a token of its role over TCP, and none where it is public`(row: Row) throws {
    for (token, role) in [(nil, nil), ("view", .viewer), ("oper", .operator), ("boss", .admin)] as [(String?, AdminRole?)] {
      let answer = try ask(row, fields: host + bearer(token))
      switch row.needed {
      case nil: #expect(!denials.contains(answer.status), "\(token ?? "no token")")
      case let needed?:
        let allowed = role.map { $0 >= needed } ?? false
        let expected = role == nil ? 401 : 403
        #expect((answer.status == expected) == !allowed, "\(token ?? "no token"): \(answer.status)")
        #expect(denials.contains(answer.status) == !allowed)
      }
    }
  }

  @Test(arguments: Row.all)
  func `is refused under a foreign Host, or to a page of another origin, whatever token it shows`(row: Row) throws {
    for fields in [
      [("Host", "evil.example")], [("Host", "evil.example:9901")], [],
      [("Host", "localhost"), ("Origin", "http://evil.example")],
      [("Host", "localhost"), ("Origin", "null")], [("Host", "localhost:9901"), ("Origin", "http://localhost:9902")],
      [("Host", "[::1]:9901"), ("Origin", "http://[::1]")], [("Host", "[fe80::1]:9901")],
    ] as [[(String, String)]] {
      let backend = FakeBackend()
      let answer = try ask(row, backend, fields: fields.map { (name: $0.0, value: $0.1) } + bearer("boss"))
      #expect(answer.status == 403)
      #expect(backend.audits.isEmpty)
    }
    let own = [(name: "Host", value: "[::1]:9901"), (name: "Origin", value: "http://[::1]:9901")]
    #expect(try !denials.contains(ask(row, fields: own + bearer("boss")).status))
  }

  @Test(arguments: Row.all)
  func `is not served where only metrics are, unless it is a probe`(row: Row) throws {
    let answer = try ask(row, fields: [("Host", "10.1.2.3")] + bearer("boss"), scope: .metricsOnly)
    #expect((answer.status == 404) == !row.isProbe)
  }

  @Test(arguments: Row.all.filter { $0.method == "GET" })
  func `that looks changes nothing, and leaves no audit record, with HEAD as with GET`(row: Row) throws {
    for method in ["GET", "HEAD"] {
      let backend = FakeBackend()
      let body = Array(#"{"state":"drain","level":"error","exit":true}"#.utf8)
      let answer = try ask(row, backend, method: method, fields: host + json + bearer("boss"), body: body)
      // Some need a parameter that is not given here.
      #expect([200, 400, 404].contains(answer.status))
      #expect(backend.audits.isEmpty && backend.disconnects.isEmpty)
      #expect(
        backend.state.withLock { $0.workerOrders.isEmpty && $0.drain == nil && $0.logLevel == .info && $0.rules.all.isEmpty })
    }
  }

  @Test(arguments: Row.all.filter { ["POST", "PUT", "PATCH"].contains($0.method) })
  func `that changes something says that it is JSON, even with an empty body`(row: Row) throws {
    for type in [nil, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"] {
      let fields = type.map { [(name: "Content-Type", value: $0)] } ?? []
      #expect(try ask(row, fields: host + fields + bearer("boss")).status == 415)
    }
    #expect(try ask(row, fields: host + json + bearer("boss")).status != 415)
  }

  @Test(arguments: Row.all.filter { $0.method != "GET" })
  func `that changes something leaves one audit record, done or refused`(row: Row) throws {
    for (token, name) in [("view", nil), ("boss", "root"), ("guess", nil)] as [(String, String?)] {
      let backend = FakeBackend()
      let answer = try ask(row, backend, fields: host + json + bearer(token))
      #expect(backend.audits.map(\.status) == [answer.status])
      #expect(backend.audits.first?.action == row.action)
      #expect(backend.audits.first?.who?.name == name)
      #expect(token != "guess" || !"\(backend.audits)".contains(token), "no token in a record")
    }
  }

  @Test(arguments: Row.all)
  func `is asked for by its own methods alone`(row: Row) throws {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", ""] {
      let backend = FakeBackend()
      let known = Row.all.contains { $0.target == row.target && $0.method == (method == "HEAD" ? "GET" : method) }
      let answer = try ask(row, backend, method: method, fields: host + json + bearer("boss"))
      #expect((answer.status == 405) == !known, "\(method)")
      if !known { #expect(backend.audits.isEmpty) }
    }
  }

  private func ask(
    _ row: Row, _ backend: FakeBackend = FakeBackend(), method: String? = nil, fields: [(name: String, value: String)],
    body: [UInt8] = [], scope: AdminAPI.Scope = .full
  ) throws -> AdminResponse {
    let request = AdminRequest(method: method ?? row.method, target: row.target, fields: fields, body: body)
    return api(backend, tokens: try tokens())
      .respond(to: request, from: loopback, scope: scope, now: Instant(nanoseconds: 0))
  }
}

/// An operation as a test's argument.
struct Row: CustomTestStringConvertible, Sendable {
  let method: String
  let target: String
  /// The role that it needs; nil where it is public.
  let needed: AdminRole?
  let isProbe: Bool
  let action: String?

  var testDescription: String { "\(method) \(target)" }

  static let all = AdminAPI.operations.map { operation in
    let needed: AdminRole? = if case .role(let role) = operation.access { role } else { nil }
    return Row(
      method: operation.method.rawValue,
      target: operation.path.description.replacing("{name}", with: "1").replacing("{id}", with: firstID)
        .replacing(/\{[a-z]+\}/, with: "1"),
      needed: needed, isProbe: operation.access == .probe, action: operation.action)
  }
}

private let denials = [401, 403, 429]
private let json = [(name: "Content-Type", value: "application/json")]

private func bearer(_ token: String?) -> [(name: String, value: String)] {
  token.map { [(name: "Authorization", value: "Bearer \($0)")] } ?? []
}
