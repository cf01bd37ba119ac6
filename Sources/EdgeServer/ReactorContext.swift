import EdgeAuth
import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeTelemetry

/// What the connections of one reactor share: its loop, its scratch buffers, its counters. Used on its thread alone.
final class ReactorContext {
  let index: Int
  let reactor: Reactor
  let scratch: TLSScratch
  let turnInput: TurnInput
  let turnOutput: TurnOutput
  private(set) var metrics: ReactorMetrics
  let shared: SharedState
  let idleLinks: IdleLinks
  let sweeps: ConnectionSweeps
  private(set) var snapshot: Snapshot
  private(set) var gate: Gate
  /// Verified tokens of this reactor.
  var tokens = TokenCache()
  var random = RandomSupply()
  var texts = SharedTexts()
  var transits = PendingTransits()
  var connections: [ConnectionID: Client] = [:]
  var talkHistory = TalkHistory()
  var isDraining = false
  /// Frames on their way out of a session of HTTP/2; empty in between, with its room.
  private var frames: [UInt8] = []
  private var serial: UInt64 = 0

  /// The most that one connection reads in one turn, in bytes: then the others come.
  static let shareBytes = 65_536

  init(index: Int, shared: SharedState, snapshot: Snapshot, metrics: ReactorMetrics) throws {
    self.index = index
    self.shared = shared
    self.snapshot = snapshot
    gate = Gate(snapshot)
    self.metrics = metrics
    reactor = try Reactor()
    turnOutput = TurnOutput(reactor)
    scratch = try TLSScratch(inputBytes: Self.shareBytes)
    idleLinks = IdleLinks()
    sweeps = try ConnectionSweeps(reactor)
    turnInput = TurnInput(readBytes: scratch.plaintextBytes, on: reactor)
  }

  /// Goes by another configuration from now on; the connections that there are take from it what concerns them.
  ///
  /// - Parameter metrics: go on from the present ones.
  func adopt(_ snapshot: Snapshot, metrics: ReactorMetrics) {
    // What other keys, or other demands on tokens, have found good is not known to be so any more.
    if snapshot.keys.mapValues({ ObjectIdentifier($0) }) != self.snapshot.keys.mapValues({ ObjectIdentifier($0) }) {
      tokens = TokenCache()
    }
    self.snapshot = snapshot
    self.metrics = metrics
    gate = Gate(snapshot)
    for client in Array(connections.values) { client.tunnel?.adopt(snapshot) }
  }

  /// The identifier for the next connection.
  func nextConnectionID() -> ConnectionID {
    serial += 1
    return ConnectionID(reactor: index, serial: serial)
  }

  // Two ways to the turn's input, on the path of every message: to ask for it from outside takes a retain and a release more.
  /// Lets a client read, if it is time to.
  func letRead(_ client: ClientConnection) {
    client.read(through: turnInput)
  }

  /// A WebSocket's link has something to read.
  func isReady(_ link: WorkerLink) {
    turnInput.isReady(link)
  }

  /// An array for frames that are to be sent; see `give(back:)`.
  func takeFrames() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &frames)
    return taken
  }

  /// Takes the array back, for the next to use its room.
  func give(back taken: consuming [UInt8]) {
    frames = taken
  }
}

extension [UInt8] {
  /// Copies the bytes of a span.
  init(copying bytes: Span<UInt8>) {
    self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
  }
}
