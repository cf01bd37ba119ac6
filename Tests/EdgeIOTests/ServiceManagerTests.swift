import EdgeCore
import Glibc
import Testing

@testable import EdgeIO

@Suite struct `A service manager` {
  @Test func `is told in lines of one datagram`() throws {
    let ear = try Ear()
    let manager = try #require(ServiceManager(["NOTIFY_SOCKET": ear.path], processID: 7))
    manager.tell([.ready, .status("Serving 2\nclients")])
    manager.tell([.reloading(Instant(nanoseconds: 5_000_999))])
    manager.tell([.stopping, .extendTimeout(.seconds(30)), .alive])
    #expect(ear.next() == "READY=1\nSTATUS=Serving 2 clients")
    #expect(ear.next() == "RELOADING=1\nMONOTONIC_USEC=5000")
    #expect(ear.next() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000\nWATCHDOG=1")
    #expect(ear.next() == nil)
  }

  @Test(
    arguments: [
      ([:], nil), (["WATCHDOG_USEC": "3000000"], 3), (["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"], 3),
      (["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"], nil), (["WATCHDOG_USEC": "0"], nil), (["WATCHDOG_USEC": "-3"], nil),
      (["WATCHDOG_USEC": "soon"], nil),
    ] as [([String: String], Int64?)])
  func `watches only whom it says so`(_ variables: [String: String], _ seconds: Int64?) {
    let manager = ServiceManager(variables.merging(["NOTIFY_SOCKET": "/run/notify"]) { $1 }, processID: 7)
    #expect(manager?.watchdogInterval == seconds.map { .seconds($0) })
  }

  @Test(arguments: [nil, "", "/", "@", "run/notify", "vsock:2:1234"])
  func `without an address that can be told anything is none`(_ address: String?) {
    #expect(ServiceManager(address.map { ["NOTIFY_SOCKET": $0] } ?? [:], processID: 7) == nil)
  }

  @Test func `that is gone, or has no such name, holds nobody up`() throws {
    let ear = try Ear()
    let manager = try #require(ServiceManager(["NOTIFY_SOCKET": ear.path + "-other"], processID: 7))
    for _ in 0..<100 { manager.tell([.ready]) }
    let tooLong = try #require(ServiceManager(["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)], processID: 7))
    tooLong.tell([.ready])
  }

  @Test func `that is behind hears later what is told once, in order, and of the rest what is new`() throws {
    let ear = try Ear()
    let manager = try #require(ServiceManager(["NOTIFY_SOCKET": ear.path], processID: 7))
    for _ in 0..<10_000 { manager.tell([.alive]) }
    let sent = sequence(state: ()) { _ in ear.next() }.reduce(0) { count, _ in count + 1 }
    #expect(sent < 10_000, "the kernel's queue was full")

    for _ in 0..<10_000 { manager.tell([.alive]) }
    manager.tell([.reloading(Instant(nanoseconds: 1000))])
    manager.tell([.status("forgotten")])
    manager.tell([.ready])
    for _ in 0..<sent { #expect(ear.next() == "WATCHDOG=1") }
    manager.tell([])
    #expect(ear.next() == "RELOADING=1\nMONOTONIC_USEC=1")
    #expect(ear.next() == "READY=1")
    #expect(ear.next() == nil)
  }
}

/// The socket of a service manager.
private final class Ear {
  let path: String
  private let directory: TemporaryDirectory
  private let descriptor: Int32

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("notify")
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    try #require(result == 0)
  }

  deinit {
    close(descriptor)
  }

  /// What came next, or nil.
  func next() -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }
}
