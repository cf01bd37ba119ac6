import EdgeAuth
import EdgeConfig
import EdgeHTTP
import EdgeRouting
import Testing

@testable import EdgeServer

@Suite struct `A route` {
  @Test func `sets what says the same of everyone where no user is known`() throws {
    let route = try route("headers: {set: {X-Edge: \"one {{1}}\", X-User: \"{claim.sub}\"}}, auth: main")
    #expect(route.fixedFields == [HTTPField(name: "X-Edge", value: "one {1}")])
    #expect(route.identityHeaders.map(\.name) == ["X-Edge", "X-User"])
  }

  @Test(
    arguments: [
      ("subprotocols: []", ["a", "b", "bearer.x"]), ("subprotocols: [b, c]", ["b"]),
    ])
  func `passes on the subprotocols that it lists, or all, in the client's order`(keys: String, passed: [String]) throws {
    #expect(try route(keys).subprotocols(of: ["a", "b", "bearer.x"]) == passed)
  }

  private func route(_ keys: String) throws -> Route {
    let text = """
      listeners: [{name: public, address: "127.0.0.1:8443"}]
      auth: {main: {keys: {file: /keys}}}
      pools: {chat: {workers: [/run/chat/a.sock]}}
      routes: [{name: chat, pool: chat, \(keys)}]
      """
    let configuration = try Configuration.load(file: text, fileName: "s.yaml")
    let pool = WorkerPoolState(name: "chat", patterns: [], settings: WorkerPool.Settings())
    return Route(
      try #require(configuration.routes.first), index: 0, pool: pool, affinity: .none, gate: nil, timeouts: configuration.timeouts
    )
  }
}
