import EdgeCore
import EdgeIO

/// Where the connections of a reactor read into, and what WebSockets have read in a turn and not passed on yet.
///
/// A turn goes in strokes: every client that is ready is read, then what they said goes out, one send right behind the other; then
/// every worker that is ready is read, and what they said goes out the same way. So a process that sleeps is woken by the first of
/// all that a turn has for it, where one that answers before the next message comes would be asleep again each time. Waking is
/// charged to whoever sends, and to whoever makes room for a worker that watches for room (`scripts/bench --parts echo`: 18 % less
/// CPU an echo of 128 bytes, with a quarter of the wake-ups).
///
/// Nothing waits here longer than the turn's other reads take, and a connection has one read here at most.
@safe
final class TurnInput: EventSource {
  private let bytes: UnsafeMutableRawBufferPointer
  /// The most that one read brings.
  private let readBytes: Int
  /// Where what waits ends.
  private var filled = 0
  private var waiting = Batch<WaitingInput>(capacity: maxWaiting)
  /// Links that are ready, and are read when the clients have been.
  private var readyLinks = Batch<WorkerLink>(capacity: maxWaiting)

  /// Begins to be served.
  ///
  /// - Parameter readBytes: the most that one read brings; as much again is the room for what waits.
  init(readBytes: Int, on reactor: Reactor) {
    self.readBytes = readBytes
    unsafe bytes = .allocate(byteCount: 2 * readBytes, alignment: 64)
    super.init()
    reactor.add(self)
    reactor.runBehindEvents(self)
  }

  deinit {
    unsafe bytes.deallocate()
  }

  /// Puts what a connection kept, `readBytes` at most, in front of what it reads next.
  ///
  /// - Returns: how many bytes that are.
  func place(_ kept: [UInt8]) -> Int {
    if filled + kept.count > readBytes || waiting.isFull { processWaiting() }
    guard !kept.isEmpty else { return 0 }
    unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]).copyBytes(from: kept)
    return kept.count
  }

  /// The room behind the `count` bytes that were placed; it takes all that one read brings.
  func room(after count: Int) -> UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[(filled + count)...])
  }

  /// Calls `body` with the `count` bytes that were placed and read last.
  func withLast(_ count: Int, _ body: (Span<UInt8>) -> Void) {
    withBytes(filled..<filled + count, body)
  }

  /// The `count` bytes that were placed and read last wait for the other reads of the turn; then the client is to process them.
  func keep(_ count: Int, for client: ClientConnection) {
    waiting.put(.ofClient(client, filled..<filled + count))
    filled += count
  }

  /// The same, of a worker's link.
  func keep(_ count: Int, for link: WorkerLink) {
    waiting.put(.ofLink(link, filled..<filled + count))
    filled += count
  }

  /// A WebSocket's link has something to read.
  func isReady(_ link: WorkerLink) {
    if readyLinks.isFull { pass() }
    readyLinks.put(link)
  }

  override func turn() {
    pass()
  }

  /// Passes on what waits: at the end of the events, and what a deferred turn has read at once.
  func pass() {
    processWaiting()
    while let link = readyLinks.take() { link.read(through: self) }
    processWaiting()
  }

  /// Lets the readers process what waits. They do not read meanwhile.
  private func processWaiting() {
    while let input = waiting.take() {
      switch consume input {
      case .ofClient(let client, let range): withBytes(range) { client.process($0) }
      case .ofLink(let link, let range): withBytes(range) { link.process($0) }
      }
    }
    filled = 0
  }

  private func withBytes(_ range: Range<Int>, _ body: (Span<UInt8>) -> Void) {
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
    unsafe body(Span(_unsafeBytes: bytes))
  }
}

/// What one connection has read, and where it lies.
private enum WaitingInput: ~Copyable {
  case ofClient(ClientConnection, Range<Int>)
  case ofLink(WorkerLink, Range<Int>)
}

/// As many as a reactor's turn has events.
private let maxWaiting = 256
