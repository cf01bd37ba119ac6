import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeTLS
import Testing

@testable import EdgeServer

@Suite struct `A configuration beside the one in force` {
  @Test func `takes over what stays the same, with its state`() throws {
    let site = try Site()
    let old = try site.snapshot()
    let new = try site.snapshot(routes: "{name: b, match: {path: /b}, pool: p}, {name: a, pool: p, auth: main}", replacing: old)
    #expect(new.pools[0] === old.pools[0])
    #expect(new.keys["main"] === old.keys["main"])
    #expect(new.admission.ramp === old.admission.ramp)
    #expect(new.sockets[0].sockets[0] === old.sockets[0].sockets[0])
    #expect(new.route(named: "a")?.index == old.route(named: "a")?.index)
    #expect(new.route(named: "a") !== old.route(named: "a"))
    #expect(new.etag != old.etag)
  }

  @Test func `makes anew what is other`() throws {
    let site = try Site()
    let old = try site.snapshot()
    let new = try site.snapshot(
      listener: "{name: other, address: \"127.0.0.1:0\"}", routes: "{name: a, pool: q}", auth: "issuer: else",
      pool: "q", more: "limits: {handshakes: {rate: 7/s}}", replacing: old)
    #expect(new.pools[0] !== old.pools[0])
    #expect(new.keys["main"] !== old.keys["main"] && new.keys["main"]?.ring !== old.keys["main"]?.ring)
    #expect(new.admission.ramp !== old.admission.ramp)
    #expect(new.sockets[0].sockets[0] !== old.sockets[0].sockets[0])
    #expect(new.listeners[0].index == 1)
  }

  @Test func `keeps an address whatever its listener is called`() throws {
    let site = try Site()
    let path = "unix:\(site.directory)/edge.sock"
    let old = try site.snapshot(listener: "{name: a, address: \"\(path)\"}")
    let new = try site.snapshot(listener: "{name: b, address: \"\(path)\"}", replacing: old)
    #expect(new.sockets[0].sockets[0] === old.sockets[0].sockets[0])
  }

  @Test func `lets go of what it has bound when something else fails`() throws {
    let site = try Site()
    let old = try site.snapshot()
    let path = "\(site.directory)/more.sock"
    let listeners = ["127.0.0.1:0", "unix:\(path)", "192.0.2.1:1"].enumerated().map { "{name: l\($0), address: \"\($1)\"}" }
    #expect(throws: StartError.self) {
      try site.snapshot(listener: listeners.joined(separator: ", "), replacing: old)
    }
    guard case .refused = Socket.connect(unixPath: path) else {
      Issue.record("somebody listens at \(path)")
      return
    }
  }

  @Test func `names a file of keys that cannot be used`() throws {
    let site = try Site()
    #expect { try site.snapshot(auth: "keys: {secret_file: /nowhere}, algorithms: [HS256]") } throws: { error in
      "\(error)".contains("auth main: /nowhere")
    }
  }
}

/// A directory with a file of keys, and configurations that name it.
private final class Site {
  let directory: String

  init() throws {
    directory = try ProcessEnvironment.makeTemporaryDirectory("edge-snapshot")
    let secret = try AppendFile(path: "\(directory)/secret")
    let bytes = [UInt8](repeating: 7, count: 32)
    _ = secret.write(bytes.span)
  }

  deinit {
    FileSystem.removeTree(directory)
  }

  func snapshot(
    listener: String = "{name: l, address: \"127.0.0.1:0\"}", routes: String = "{name: a, pool: p, auth: main}",
    auth: String = "issuer: me", pool: String = "p", more: String = "", replacing previous: Snapshot? = nil
  ) throws -> Snapshot {
    let keys = auth.contains("keys:") ? auth : "keys: {secret_file: \(directory)/secret}, \(auth)"
    let text = """
      listeners: [\(listener)]
      auth: {main: {\(keys)}}
      pools: {\(pool): {workers: [\(directory)/w.sock]}}
      routes: [\(routes)]
      \(more)
      """
    let configuration = try ConfigurationSource(text: text, name: "test").read()
    return try SnapshotBuilder(
      configuration, replacing: previous, tickets: TicketKeyRing(now: Instant(nanoseconds: 1)), log: nil
    ).build(reactors: 1)
  }
}
