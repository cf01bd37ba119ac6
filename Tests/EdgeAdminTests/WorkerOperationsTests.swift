import EdgeCore
import EdgeRouting
import Synchronization
import Testing

@testable import EdgeAdmin

@Suite struct `Changing a worker` {
  @Test(
    arguments: [
      ("1", 200), ("%2Frun%2Fchat%2F1.sock", 200), ("%2frun%2fchat%2f1%2esock", 200), ("2", 404), ("1.sock", 404), ("", 404),
      ("%2Frun%2Fchat%2F2.sock", 404), ("chat", 404), ("..%2f1", 404),
    ])
  func `takes its socket's name, or its whole path`(name: String, status: Int) throws {
    let backend = FakeBackend()
    let answer = patch(backend, name, #"{"state":"drain"}"#)
    #expect(answer.status == status)
    guard status == 200 else { return #expect(backend.workerOrders.isEmpty) }
    let worker = try JSON(parsing: answer.body)
    #expect(
      worker.members?.map(\.name) == [
        "name", "pool", "path", "state", "up", "connections", "weight", "connect_failures", "closing",
      ])
    #expect(worker["name"] == "1")
    #expect(worker["state"] == "drain")
    #expect(worker["closing"] == 0)
  }

  @Test func `needs the path where two workers share a name, and takes two pools' worker for one`() throws {
    let backend = FakeBackend()
    backend.state.withLock { state in
      state.workers = [
        AdminWorker(pool: "a", path: "/run/a/1.sock", state: .ready, isUp: true, connections: 0),
        AdminWorker(pool: "b", path: "/run/b/1.sock", state: .ready, isUp: true, connections: 0),
        AdminWorker(pool: "a", path: "/run/a/2.sock", state: .ready, isUp: true, connections: 0),
        AdminWorker(pool: "c", path: "/run/a/2.sock", state: .ready, isUp: true, connections: 0),
      ]
    }
    let list = try JSON(parsing: ask(backend, AdminRequest(method: "GET", target: "/api/v1/workers"), from: root).body)
    #expect(list["workers"]?.arrayValue?.map { $0["name"]?.stringValue } == ["/run/a/1.sock", "/run/b/1.sock", "2", "2"])
    let ambiguous = patch(backend, "1", #"{"state":"drain"}"#)
    #expect(ambiguous.status == 409)
    #expect(try JSON(parsing: ambiguous.body)["error"] == "ambiguous_worker")
    #expect(patch(backend, "%2Frun%2Fb%2F1.sock", #"{"state":"drain"}"#).status == 200)
    #expect(patch(backend, "2", #"{"state":"maint"}"#).status == 200)
    #expect(backend.state.withLock { $0.workers.map(\.state) } == [.ready, .drain, .maint, .maint])
  }

  @Test(
    arguments: [
      (#"{"state":"ready"}"#, .ready, true, 30, nil), (#"{"state":"drain"}"#, .drain, true, 30, nil),
      (#"{"state":"drain","close_clients":false}"#, .drain, true, 30, nil),
      (#"{"state":"drain","close_clients":true,"spread_seconds":0}"#, .drain, false, 0, nil),
      (#"{"state":"maint"}"#, .maint, false, 30, nil), (#"{"state":"maint","spread_seconds":1.5}"#, .maint, false, 1.5, nil),
      (#"{"weight":100}"#, nil, true, 30, 100), (#"{"weight":1}"#, nil, true, 30, 1),
    ] as [(String, WorkerAdminState?, Bool, Double, Int?)])
  func `says what becomes of its clients`(
    body: String, state: WorkerAdminState?, keepsClients: Bool, spread: Double, weight: Int?
  ) throws {
    let backend = FakeBackend()
    #expect(patch(backend, "1", body).status == 200)
    let order = try #require(backend.workerOrders.last)
    #expect(order.state == state && order.keepsClients == keepsClients && order.weight == weight)
    #expect(order.spread.inSeconds == spread)
  }

  @Test(arguments: [
    ("{}", nil), ("[]", nil), (#"{"state":"down"}"#, "state"), (#"{"state":1}"#, "state"),
    (#"{"weight":1,"state":null}"#, "state"), (#"{"weight":0}"#, "weight"),
    (#"{"weight":101}"#, "weight"), (#"{"weight":1.5}"#, "weight"), (#"{"weight":"1"}"#, "weight"),
    (#"{"state":"ready","close_clients":true}"#, "close_clients"), (#"{"weight":2,"close_clients":true}"#, "close_clients"),
    (#"{"state":"maint","close_clients":false}"#, "close_clients"),
    (#"{"state":"drain","close_clients":"yes"}"#, "close_clients"),
    (#"{"state":"drain","spread_seconds":-1}"#, "spread_seconds"),
    (#"{"state":"drain","spread_seconds":86401}"#, "spread_seconds"),
    (#"{"state":"drain","spread_seconds":1e300}"#, "spread_seconds"), (#"{"state":"drain","all":true}"#, "all"),
  ])
  func `is refused with the member that is wrong, and changes nothing then`(body: String, member: String?) throws {
    let backend = FakeBackend()
    let answer = patch(backend, "1", body)
    #expect(answer.status == 400)
    #expect(try JSON(parsing: answer.body)["field"]?.stringValue == member)
    #expect(backend.workerOrders.isEmpty)
  }

  @Test func `leaves an audit record with how many clients it closes`() {
    let backend = FakeBackend()
    _ = patch(backend, "1", #"{"state":"drain","close_clients":true,"weight":3}"#)
    _ = patch(backend, "nobody", #"{"state":"drain"}"#)
    #expect(backend.audits.map(\.action) == ["worker.change", "worker.change"])
    #expect(backend.audits.map(\.status) == [200, 404])
    #expect(backend.audits.map(\.target) == ["/run/chat/1.sock", "nobody"])
    #expect(
      backend.audits.first?.detail == [
        "state": "drain", "close_clients": true, "spread_seconds": 30, "weight": 3, "closing": 2,
      ])
  }
}

@Suite struct `Draining the edge` {
  @Test func `answers with the drain that goes on, and is taken back`() throws {
    let backend = FakeBackend()
    let answer = post(backend, "drain", #"{"spread_seconds":12.5,"delay_seconds":0}"#)
    #expect(answer.status == 200)
    let drain = try JSON(parsing: answer.body)
    #expect(drain.members?.map(\.name) == ["draining", "connections", "began_at", "spread_seconds", "ends_at", "exit"])
    #expect(drain["spread_seconds"]?.numberValue == 12.5)
    #expect(post(backend, "undrain").status == 200)
    #expect(backend.state.withLock { $0.drain } == nil)
    #expect(post(backend, "undrain").status == 200, "there is nothing to take back, and nothing wrong")
    #expect(backend.audits.map(\.action) == ["edge.drain", "edge.undrain", "edge.undrain"])
    #expect(backend.audits.first?.detail == ["delay_seconds": 0, "spread_seconds": 12.5, "exit": false, "connections": 2])
  }

  @Test func `that ends the process cannot be taken back`() throws {
    let backend = FakeBackend()
    #expect(post(backend, "drain", #"{"exit":true}"#).status == 200)
    let answer = post(backend, "undrain")
    #expect(answer.status == 409)
    #expect(try JSON(parsing: answer.body)["error"] == "ending")
  }

  @Test(arguments: [
    #"{"spread":1}"#, #"{"spread_seconds":"1"}"#, #"{"timeout_seconds":-1}"#, #"{"delay_seconds":1e9}"#, #"{"exit":1}"#, "[]",
    "x",
  ])
  func `is refused in any other form`(body: String) {
    let backend = FakeBackend()
    #expect(post(backend, "drain", body).status == 400)
    #expect(post(backend, "undrain", body).status == 400)
    #expect(backend.state.withLock { $0.drain } == nil)
  }
}

extension FakeBackend {
  fileprivate var workerOrders: [WorkerOrder] { state.withLock { $0.workerOrders } }
}

private let root = AdminPeer.unix(userID: 0)

private func patch(_ backend: FakeBackend, _ name: String, _ body: String) -> AdminResponse {
  ask(
    backend,
    AdminRequest(
      method: "PATCH", target: "/api/v1/workers/\(name)", fields: [(name: "Content-Type", value: "application/json")],
      body: Array(body.utf8)), from: root)
}

private func post(_ backend: FakeBackend, _ name: String, _ body: String = "") -> AdminResponse {
  ask(
    backend,
    AdminRequest(
      method: "POST", target: "/api/v1/\(name)", fields: [(name: "Content-Type", value: "application/json")],
      body: Array(body.utf8)), from: root)
}
