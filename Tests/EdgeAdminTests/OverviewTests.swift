import EdgeCore
import EdgeTelemetry
import Synchronization
import Testing

@testable import EdgeAdmin

@Suite struct `The edge at a glance` {
  @Test func `has the members of the contract`() throws {
    let status = try read("status")
    #expect(
      status.members?.map(\.name) == [
        "version", "revision", "started_at", "now", "uptime_seconds", "reactors", "connections", "max_connections", "ready",
        "draining", "drain", "routes", "messages_in", "messages_out", "bytes_in", "bytes_out", "handshakes",
        "throttled_connections", "clients_waiting", "send_queue_bytes", "config", "next_certificate_expiry",
      ])
    #expect(status["handshakes"]?.members?.map(\.name) == HandshakeResult.allCases.map(\.word))
    #expect(status["drain"] == .null && status["next_certificate_expiry"] == .null)
    #expect(status["config"]?.members?.map(\.name) == ["file", "loaded_at", "age_seconds", "etag", "last_reload"])
  }

  @Test func `shows routes with what was counted of them`() throws {
    let route = try #require(try read("routes")["routes"]?.arrayValue?.first)
    #expect(
      route.members?.map(\.name) == [
        "name", "host", "path", "pool", "auth", "origins", "connections", "messages_in", "messages_out", "bytes_in", "bytes_out",
        "handshakes",
      ])
    #expect(route["host"] == .null && route["auth"] == "main")
    #expect(route["connections"] == 2 && route["messages_in"] == 7 && route["handshakes"]?["accepted"] == 3)
  }

  @Test func `shows certificates with the whole days that they have left`() throws {
    let certificate = try #require(try read("certs")["certificates"]?.arrayValue?.first)
    #expect(
      certificate.members?.map(\.name) == [
        "listener", "name", "subject", "names", "issuer", "not_before", "not_after", "days_left", "key_type", "serial",
      ])
    #expect(certificate["days_left"] == 2 && certificate["not_before"] == .null && certificate["serial"] == "0A")
  }

  @Test func `shows keys by name and algorithm, and how old they are`() throws {
    let keys = try #require(try read("keys")["keys"]?.arrayValue)
    #expect(keys.map { $0["auth"]?.stringValue } == ["main", "other"])
    #expect(keys[0].members?.map(\.name) == ["auth", "source", "location", "keys", "fetched_at", "age_seconds"])
    #expect(keys[0]["source"] == "secret_file" && keys[0]["age_seconds"]?.numberValue == 10)
    #expect(keys[0]["keys"] == [["kid": .null, "algorithm": "HS256"]])
    #expect(keys[1]["fetched_at"] == .null && keys[1]["age_seconds"] == .null)
  }

  private func read(_ name: String) throws -> JSON {
    let answer = ask(FakeBackend(), AdminRequest(method: "GET", target: "/api/v1/\(name)"), from: .unix(userID: 0))
    #expect(answer.status == 200)
    return try JSON(parsing: answer.body)
  }
}

@Suite struct `The log level` {
  @Test(arguments: [("debug", LogLevel.debug), ("info", .info), ("warn", .warning), ("error", .error)])
  func `is set by its word, and leaves an audit record`(word: String, level: LogLevel) throws {
    let backend = FakeBackend()
    #expect(put(backend, #"{"level":"\#(word)"}"#).body == Array("{\"level\":\"\(word)\"}\n".utf8))
    #expect(backend.logLevel() == level)
    let shown = ask(backend, AdminRequest(method: "GET", target: "/api/v1/log-level"), from: .unix(userID: 0))
    #expect(try JSON(parsing: shown.body)["level"]?.stringValue == word)
    #expect(backend.audits.map(\.action) == ["log_level.set"])
    #expect(backend.audits.first?.detail == ["from": "info", "to": .string(word)])
  }

  @Test(arguments: ["", "{}", #"{"level":"warning"}"#, #"{"level":"INFO"}"#, #"{"level":1}"#, #"{"level":"info","x":1}"#, "[]"])
  func `is set by no other body`(body: String) {
    let backend = FakeBackend()
    #expect(put(backend, body).status == 400)
    #expect(backend.logLevel() == .info)
  }

  private func put(_ backend: FakeBackend, _ body: String) -> AdminResponse {
    ask(
      backend,
      AdminRequest(
        method: "PUT", target: "/api/v1/log-level", fields: [(name: "Content-Type", value: "application/json")],
        body: Array(body.utf8)), from: .unix(userID: 0))
  }
}
