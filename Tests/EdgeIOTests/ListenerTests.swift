import EdgeCore
import EdgeIO
import Glibc
import Testing

@Suite struct `Accepting` {
  @Test func `at most sixteen clients are accepted in a turn`() throws {
    let reactor = try Reactor()
    let socket = SharedSocket(try Socket.listen(tcp: loopback, port: 0))
    let listener = CountingListener(socket, isShared: false, on: reactor)
    let clients = try Clients(20, of: socket)
    try listener.start()
    var most = 0
    reactor.run(until: {
      let before = listener.peers.count
      reactor.runTurn()
      most = max(most, listener.peers.count - before)
      return listener.peers.count == 20
    })
    #expect((1...16).contains(most))
    #expect(listener.peers.map(\.ip) == Array(repeating: loopback, count: 20))
    #expect(clients.count == 20)
    reactor.removeAll()
  }

  @Test func `clients wait while it is paused`() throws {
    let reactor = try Reactor()
    let socket = SharedSocket(try Socket.listen(tcp: loopback, port: 0))
    let listener = CountingListener(socket, isShared: false, on: reactor)
    try listener.start()
    listener.pause()
    let clients = try Clients(3, of: socket)
    for _ in 0..<3 { reactor.runTurn() }
    #expect(listener.peers.isEmpty)
    listener.resume()
    reactor.run(until: { listener.peers.count == 3 })
    #expect(clients.count == 3)
    reactor.removeAll()
  }

  @Test func `a listener that pauses itself accepts no further client of its turn`() throws {
    let reactor = try Reactor()
    let socket = SharedSocket(try Socket.listen(tcp: loopback, port: 0))
    let listener = CountingListener(socket, isShared: false, on: reactor)
    listener.onAccepted = { [unowned listener] in listener.pause() }
    let clients = try Clients(3, of: socket)
    try listener.start()
    reactor.run(until: { !listener.peers.isEmpty })
    for _ in 0..<3 { reactor.runTurn() }
    #expect(listener.peers.count == 1)
    #expect(clients.count == 3)
    reactor.removeAll()
  }

  @Test func `reactors that share a socket accept each client once`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("shared.sock")
    let socket = SharedSocket(try Socket.listen(unixPath: path))
    let reactors = [try Reactor(), try Reactor()]
    let listeners = reactors.map { CountingListener(socket, isShared: true, on: $0) }
    for listener in listeners { try listener.start() }
    var clients: [Int32] = []
    for _ in 0..<40 {
      let client = try connected(Socket.connect(unixPath: path))
      clients.append(dup(client.descriptor))
      for reactor in reactors { reactor.runTurn() }
    }
    #expect(listeners[0].peers.count + listeners[1].peers.count == 40)
    listeners[0].pause()
    let before = listeners[1].peers.count
    _ = try connected(Socket.connect(unixPath: path))
    for reactor in reactors { reactor.runTurn() }
    #expect(listeners[1].peers.count == before + 1, "a paused reactor leaves its clients to the others")
    for client in clients { close(client) }
    for reactor in reactors { reactor.removeAll() }
  }

  @Test func `while the reserve is used up accepting pauses, and goes on soon after its return`() throws {
    let reactor = try Reactor()
    let socket = SharedSocket(try Socket.listen(tcp: loopback, port: 0))
    let reserve = DescriptorReserve(count: 4)
    let listener = CountingListener(socket, isShared: false, on: reactor, reserve: reserve)
    try listener.start()
    reserve.release()
    let clients = try Clients(1, of: socket)
    reactor.runTurn()
    #expect(listener.peers.isEmpty)
    reactor.run(until: { !listener.peers.isEmpty })
    #expect(reserve.isWhole)
    #expect(clients.count == 1)
    reactor.removeAll()
  }

  @Test func `a stopped listener lets go of its reactor`() throws {
    let reactor = try Reactor()
    let listener = CountingListener(SharedSocket(try Socket.listen(tcp: loopback, port: 0)), isShared: false, on: reactor)
    try listener.start()
    #expect(reactor.sourceCount == 1)
    listener.stop()
    listener.resume()
    #expect(reactor.sourceCount == 0)
    try listener.start()
    #expect(reactor.sourceCount == 1)
    reactor.removeAll()
  }

  @Test func `without descriptors accepting pauses without spinning, others can open files, and it recovers`() async {
    let child = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      try exhaustDescriptors()
    }
    #expect(String(decoding: child?.standardErrorContent ?? [], as: UTF8.self) == "")
  }
}

/// Runs in a process of its own, whose descriptor limit it lowers. Its other threads close a descriptor now and then, so
/// that a few of the clients may still come in.
private func exhaustDescriptors() throws {
  let reactor = try Reactor()
  let socket = SharedSocket(try Socket.listen(tcp: loopback, port: 0))
  let reserve = DescriptorReserve(count: 4)
  let listener = CountingListener(socket, isShared: false, on: reactor, reserve: reserve)
  try listener.start()
  let clients = try Clients(40, of: socket)
  var limit = rlimit(rlim_cur: 256, rlim_max: 256)
  check(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, "the limit can be lowered")
  var fillers: [Int32] = []
  while case let descriptor = dup(0), descriptor >= 0 { fillers.append(descriptor) }

  let start = MonotonicClock.now()
  var turns = 0
  while MonotonicClock.now() - start < .milliseconds(1_200) {
    reactor.runTurn(until: start + .milliseconds(1_200))
    turns += 1
  }
  check(listener.peers.count < 10, "nobody is accepted, but \(listener.peers.count)")
  check(turns < 20, "it waits for a timer instead of spinning, but \(turns) turns")
  check(listener.errors.allSatisfy(\.isOutOfDescriptors), "\(listener.errors)")
  check((1...4).contains(listener.errors.count), "it tries every half second, but \(listener.errors.count) times")
  let spare = open("/dev/null", O_RDONLY)
  check(spare >= 0, "the reserve is there for others")
  close(spare)

  for descriptor in fillers { close(descriptor) }
  let freed = MonotonicClock.now()
  while listener.peers.count < clients.count, MonotonicClock.now() - freed < .seconds(60) {
    reactor.runTurn(until: freed + .seconds(60))
  }
  check(listener.peers.count == clients.count, "all are accepted, but \(listener.peers.count)")
  reactor.removeAll()
}

/// Ends the process with an explanation unless the condition holds.
private func check(_ condition: Bool, _ explanation: @autoclosure () -> String) {
  guard !condition else { return }
  let text = Array((explanation() + "\n").utf8)
  write(STDERR_FILENO, text, text.count)
  exit(1)
}

/// Counts clients and keeps their sockets.
private final class CountingListener: Listener {
  private var clients: [SharedSocket] = []
  var peers: [PeerAddress] = []
  var errors: [SystemError] = []
  var onAccepted: () -> Void = {}

  override func accepted(_ client: consuming Socket, from peer: PeerAddress) {
    peers.append(peer)
    clients.append(SharedSocket(client))
    onAccepted()
  }

  override func acceptFailed(_ error: SystemError) {
    errors.append(error)
  }
}

/// Clients that have connected and wait.
private final class Clients {
  private var descriptors: [Int32] = []

  init(_ count: Int, of socket: SharedSocket) throws {
    for _ in 0..<count {
      let client = try connected(Socket.connect(tcp: loopback, port: socket.socket.localPort))
      descriptors.append(dup(client.descriptor))
    }
  }

  deinit {
    for descriptor in descriptors { close(descriptor) }
  }

  var count: Int { descriptors.count }
}
