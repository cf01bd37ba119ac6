import EdgeCore
import EdgeIO
import Glibc
import Testing

/// A directory that is removed, with the files in it, at the end of a test.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/edgeio-XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  deinit {
    for match in FileSystem.glob("\(path)/*") { unlink(match.path) }
    rmdir(path)
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Makes a file with this content.
  func write(_ content: String, to name: String) throws -> String {
    let file = try AppendFile(path: self.file(name))
    if !content.isEmpty { #expect(file.write(Array(content.utf8).span) == .bytes(content.utf8.count)) }
    return self.file(name)
  }
}

/// A source that writes down what happens to it, and does what a test asks.
final class RecordingSource: EventSource {
  var readiness: [Readiness] = []
  var firedAt: [Instant] = []
  var turns = 0
  var onReady: () -> Void = {}
  var onTimer: () -> Void = {}
  var onTurn: () -> Void = {}

  override func ready(_ readiness: Readiness) {
    self.readiness.append(readiness)
    onReady()
  }

  override func timerFired() {
    firedAt.append(MonotonicClock.now())
    onTimer()
  }

  override func turn() {
    turns += 1
    onTurn()
  }
}

extension Reactor {
  /// Runs turns until `condition` holds; a test fails if it does not within a minute.
  func run(until condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) {
    let limit = MonotonicClock.now() + .seconds(60)
    while !condition() {
      guard MonotonicClock.now() < limit else {
        Issue.record("nothing happened for a minute", sourceLocation: location)
        return
      }
      runTurn(until: limit)
    }
  }

  /// Removes every source, and ends the cycles that a test has made with these.
  func release(_ sources: [RecordingSource]) {
    removeAll()
    for source in sources {
      source.onReady = {}
      source.onTimer = {}
      source.onTurn = {}
    }
  }

  /// Runs one turn without waiting.
  func runTurn() {
    runTurn(until: now)
  }
}

extension Socket {
  /// Sends all of a short text.
  borrowing func send(_ text: String) -> IOResult {
    send(Array(text.utf8).span)
  }

  /// Receives up to 1 KiB as text, or the result that came instead.
  borrowing func receiveText() -> (text: String, result: IOResult) {
    var buffer = [UInt8](repeating: 0, count: 1024)
    var span = buffer.mutableSpan
    let result = receive(into: &span)
    guard case .bytes(let count) = result else { return ("", result) }
    return (String(decoding: buffer[..<count], as: UTF8.self), result)
  }

  /// Waits until the descriptor is ready for `events` of poll(2); a test fails if it is not within a minute.
  borrowing func wait(for events: Int32, _ location: SourceLocation = #_sourceLocation) {
    var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    let count = poll(&watched, 1, 60_000)
    #expect(count == 1, sourceLocation: location)
  }
}

/// What a connection attempt gave, without the socket.
enum ConnectOutcome: Equatable {
  case connected, connecting, backlogFull, refused, missing
  case failed(errno: Int32)
}

/// Takes the socket out of a connection attempt, if there is one.
func connected(_ result: consuming ConnectResult) throws -> Socket {
  switch consume result {
  case .connected(let socket): return socket
  case .connecting(let socket):
    socket.wait(for: POLLOUT)
    if let error = socket.takeError() { throw error }
    return socket
  case .backlogFull: throw SystemError("connect", errno: EAGAIN)
  case .refused: throw SystemError("connect", errno: ECONNREFUSED)
  case .missing: throw SystemError("connect", errno: ENOENT)
  case .failed(let error): throw error
  }
}

/// The outcome of a connection attempt; a socket is closed.
func outcome(_ result: consuming ConnectResult) -> ConnectOutcome {
  switch consume result {
  case .connected: .connected
  case .connecting: .connecting
  case .backlogFull: .backlogFull
  case .refused: .refused
  case .missing: .missing
  case .failed(let error): .failed(errno: error.errno)
  }
}

/// The next client of a listening socket, waited for.
func nextClient(of listener: borrowing Socket) throws -> AcceptedClient {
  listener.wait(for: POLLIN)
  switch listener.accept() {
  case .accepted(let socket, let peer): return AcceptedClient(socket: socket, peer: peer)
  case .wouldBlock: throw SystemError("accept4", errno: EAGAIN)
  case .outOfDescriptors(let error): throw error
  case .transient(let error): throw error
  case .failed(let error): throw error
  }
}

struct AcceptedClient: ~Copyable {
  let socket: Socket
  let peer: PeerAddress
}

/// The error number that `body` throws, or nil.
func errno(of body: () throws -> Void) -> Int32? {
  do {
    try body()
    return nil
  } catch {
    return (error as? SystemError)?.errno
  }
}

let loopback = IPAddress(v4: 0x7f00_0001)
