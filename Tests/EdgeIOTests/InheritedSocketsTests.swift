import EdgeCore
import Glibc
import Testing

@testable import EdgeIO

@Suite struct `What the environment tells of descriptors` {
  private func told(_ variables: [String: String]) -> [String] {
    PassedDescriptors(variables, processID: 7).all.map { "\($0.number) \($0.name ?? "-")" }
  }

  @Test func `names them from 3 on, in order`() {
    #expect(told(["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "edge:admin"]) == ["3 edge", "4 admin"])
    #expect(told(["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "edge:"]) == ["3 edge", "4 "])
  }

  @Test func `without names they have numbers`() {
    #expect(told(["LISTEN_PID": "7", "LISTEN_FDS": "1"]) == ["3 -"])
    #expect(told(["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "edge"]) == ["3 -", "4 -"])
  }

  @Test(arguments: [
    [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "8", "LISTEN_FDS": "1"], ["LISTEN_PID": "7"],
    ["LISTEN_PID": "7", "LISTEN_FDS": "0"],
    ["LISTEN_PID": "7", "LISTEN_FDS": "-1"], ["LISTEN_PID": "7", "LISTEN_FDS": "2147483647"],
    ["LISTEN_PID": "x", "LISTEN_FDS": "1"], ["LISTEN_PID": "7", "LISTEN_FDS": "one"],
  ])
  func `meant for another process, or without sense, it tells of none`(_ variables: [String: String]) {
    #expect(told(variables) == [])
  }
}

@Suite struct `Sockets that were passed` {
  @Test func `are found by name and by number, with where they listen`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.sock")
    let given = try Given(
      [
        ("tcp", Given.duplicate(try Socket.listen(tcp: IPAddress(v4: 0x7f00_0001), port: 0))),
        ("unix", Given.duplicate(try Socket.listen(unixPath: path))),
      ])
    let tcp = try given.sockets.socket("tcp")
    #expect(tcp.place == .tcp(IPAddress(v4: 0x7f00_0001), port: tcp.socket.socket.localPort))
    let unix = try given.sockets.socket("unix")
    #expect(unix.place == .unix(path: path) && unix.place.description == "unix:\(path)")
    #expect(try given.sockets.socket("\(unix.socket.socket.descriptor)").socket === unix.socket)
    #expect(given.sockets.unused(by: ["tcp"]) == ["fd://unix"])
  }

  @Test func `are closed in children, and never block`() throws {
    let descriptor = try Given.duplicate(try Socket.listen(tcp: IPAddress(v4: 0x7f00_0001), port: 0))
    #expect(fcntl(descriptor, F_SETFD, 0) == 0 && fcntl(descriptor, F_SETFL, 0) == 0)
    let given = try Given([("edge", descriptor)])
    let socket = try given.sockets.socket("edge").socket
    #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0 && fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
    guard case .wouldBlock = socket.socket.accept() else {
      Issue.record("somebody came")
      return
    }
  }

  @Test func `that cannot be accepted from are refused by their kind`() throws {
    let given = try Given([
      ("file", open("/dev/null", O_RDONLY)),
      ("datagrams", socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)),
      ("silent", socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)),
    ])
    let numbers = given.numbers
    #expect(given.refusal("file") == "descriptor \(numbers[0]) is no socket")
    #expect(
      given.refusal("datagrams") == "descriptor \(numbers[1]) is no stream socket; expected ListenStream= in the socket unit")
    #expect(given.refusal("silent") == "descriptor \(numbers[2]) does not listen; expected Accept=no in the socket unit")
  }

  @Test func `that are missing, or not alone, are refused with what was passed`() throws {
    #expect(InheritedSockets().refusal("edge") == "no socket was passed; start the socket unit, which starts the service")
    let given = try Given([
      ("edge", open("/dev/null", O_RDONLY)), ("edge", open("/dev/null", O_RDONLY)), ("", open("/dev/null", O_RDONLY)),
    ])
    let numbers = given.numbers
    #expect(given.refusal("other") == "no such socket was passed, but fd://edge, fd://edge, fd://\(numbers[2])")
    #expect(
      given.refusal("edge") == "2 sockets have this name; give each a FileDescriptorName= of its own, or say "
        + "fd://\(numbers[0]) or fd://\(numbers[1])")
    #expect(given.refusal("\(numbers[0])") == "descriptor \(numbers[0]) is no socket")
  }
}

/// Descriptors with names.
private struct Given {
  let sockets: InheritedSockets
  let numbers: [Int32]

  init(_ descriptors: [(name: String, number: Int32)]) throws {
    numbers = descriptors.map(\.number)
    try #require(numbers.allSatisfy { $0 >= 0 })
    sockets = InheritedSockets(descriptors.map { ($0.number, $0.name) })
  }

  func refusal(_ name: String) -> String? { sockets.refusal(name) }

  static func duplicate(_ socket: consuming Socket) throws -> Int32 { try socket.duplicateDescriptor() }
}

extension InheritedSockets {
  fileprivate func refusal(_ name: String) -> String? {
    do {
      _ = try socket(name)
      return nil
    } catch {
      return error.description
    }
  }
}
