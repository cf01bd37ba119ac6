import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeHTTP2
import EdgeIO
import EdgePolicy
import EdgeRelay

/// HTTP/2 on one client's TCP connection: each stream of it is a client of its own to the gate and the relay.
///
/// What workers say on WebSockets goes out at the end of the turn, that of all streams together; what a single stream says, and all
/// else, goes out at once, unless bytes are being read just now: then once they are. While the TCP connection is slow, streams keep
/// what they have, and reading from their workers stops.
final class ClientSession: HTTP2Session {
  private let connection: ClientConnection
  private let context: ReactorContext
  private var streams = StreamTable<ClientStream>()
  /// The stream that was asked for last.
  private var latest: ClientStream?
  /// The stream that goes by what the connection holds of the limits; the others hold their own.
  private var firstStream: StreamNumber?
  /// The WebSocket that goes by the connection's place of its address.
  private var placeHolder: StreamNumber?
  /// Streams with something that goes out at the end of this turn.
  private var sendingStreams: [ClientStream] = []
  /// Those of the turn that ends, while it does; empty in between, with its room.
  private var endingStreams: [ClientStream] = []
  /// Streams whose last waiting byte has gone out.
  private var drainedStreams: [ClientStream] = []
  private var isBusy = false
  /// How long the client may go without a stream, or take for its greeting or the rest of a head.
  private var idleDeadline: Instant
  private var headDeadline = Instant.distantFuture
  /// When streams are refused, after the client was told that the connection ends.
  private var refusalTime = Instant.distantFuture
  private var isRetiring = false
  private var stall = StallWatch()

  /// Takes over a connection whose first bytes may have come.
  init(_ connection: ClientConnection, context: ReactorContext) throws(HTTP2Error) {
    self.connection = connection
    self.context = context
    idleDeadline = context.reactor.now + context.snapshot.timeouts.head
    try super.init(headLimits: context.snapshot.headLimits)
  }

  /// Uses what the client sent, from `offset` on.
  ///
  /// - Returns: the end of the bytes: whatever is not used yet is kept here.
  func receivedFromClient(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    let wasGreeted = isGreeted
    isBusy = true
    receive(bytes.extracting(droppingFirst: offset), now: context.reactor.now)
    isBusy = false
    if !wasGreeted, isGreeted, streams.isEmpty { idleDeadline = context.reactor.now + Snapshot.keepAlive }
    watchHead()
    flush()
    return bytes.count
  }

  // MARK: For the streams

  /// Whether the client's bytes are being read now, so that nothing can go out before that is over.
  var isReading: Bool { isBusy }

  /// Sends what there is, as far as the client takes it.
  func flush() {
    guard !isBusy else { return }
    if hasOutput {
      isBusy = true
      sendFrames()
      isBusy = false
      if isHeldUp { watchProgress() }
      tellDrained()
    }
    if isOver { finish() }
  }

  /// Whether it pays to wait for what other streams say in this turn.
  private(set) var hasManyStreams = false

  /// Whether the client has not taken yet what was sent last.
  private(set) var isHeldUp = false

  /// A stream has something to send, and so may others before the turn is over.
  func flushLater(_ stream: ClientStream) {
    if sendingStreams.isEmpty { context.turnOutput.add(self) }
    sendingStreams.append(stream)
  }

  /// Sends what was said in this turn.
  func turnEnded() {
    swap(&sendingStreams, &endingStreams)
    flush()
    for stream in endingStreams { stream.turnEnded() }
    endingStreams.removeAll(keepingCapacity: true)
  }

  private func sendFrames() {
    var frames = context.takeFrames()
    while !isHeldUp {
      frames.removeAll(keepingCapacity: true)
      takeOutput(into: &frames, limit: ReactorContext.shareBytes)
      guard !frames.isEmpty else { break }
      isHeldUp = !connection.send(frames.span)
      guard frames.count >= ReactorContext.shareBytes else { break }
    }
    context.give(back: frames)
  }

  /// Something of what the client sent on a stream was used.
  func used(_ count: Int, on stream: StreamNumber) {
    guard count > 0 else { return }
    consumed(count, on: stream)
  }

  /// A stream has nothing that waits any more: it is told once that can be.
  func drained(_ stream: ClientStream) {
    drainedStreams.append(stream)
  }

  /// A stream has ended, on its own side too.
  func forget(_ stream: ClientStream) {
    guard streams.remove(stream.number) else { return }
    hasManyStreams = streams.count > 1
    if latest === stream { latest = nil }
    if firstStream == stream.number { firstStream = nil }
    if placeHolder == stream.number { placeHolder = nil }
    if streams.isEmpty { idleDeadline = context.reactor.now + Snapshot.keepAlive }
    retireIfEmpty()
    connection.deadlineMoved()
  }

  /// Whether a WebSocket may go by the place that the connection holds of its address. There is one; who asks first has it.
  func takeConnectionPlace(for stream: StreamNumber) -> Bool {
    guard placeHolder == nil || placeHolder == stream else { return false }
    placeHolder = stream
    return true
  }

  /// Whether a WebSocket goes by the connection's place of its address.
  func usesConnectionPlace(_ stream: StreamNumber) -> Bool { placeHolder == stream }

  /// The connection is of no more use: it ends with the last of its streams.
  func retire() {
    guard !isRetiring else { return }
    isRetiring = true
    refuseStreams()
    retireIfEmpty()
  }

  /// The first stream goes by the place that its connection has in the edge's cap; each further one takes one of its own, for it has
  /// a worker's connection of its own.
  private func takeStreamPlace(for stream: StreamNumber) -> StreamPlace {
    guard firstStream != nil else {
      firstStream = stream
      return .ofConnection
    }
    return context.shared.limits.takePlace(under: context.snapshot.admission).map { .own($0) } ?? .none
  }

  private func retireIfEmpty() {
    guard isRetiring, streams.isEmpty else { return }
    end(.none)
    if !isBusy { flush() }
  }

  // MARK: Events of the library

  override func received(_ head: RequestHead, on stream: StreamNumber, isWhole: Bool) {
    headDeadline = .distantFuture
    open(stream, AnnouncedLength(head.bodyFraming), isWhole: isWhole).begin(head)
  }

  override func received(_ error: HTTPParseError, on stream: StreamNumber, isWhole: Bool) {
    headDeadline = .distantFuture
    open(stream, AnnouncedLength(.none), isWhole: isWhole).refuseHead(error)
  }

  private func open(_ number: StreamNumber, _ length: AnnouncedLength, isWhole: Bool) -> ClientStream {
    idleDeadline = .distantFuture
    let stream = ClientStream(
      number, of: self, on: connection, length: length, isWhole: isWhole, place: takeStreamPlace(for: number), context: context)
    streams.append(stream, number: number)
    hasManyStreams = streams.count > 1
    return stream
  }

  override func received(_ bytes: Span<UInt8>, on stream: StreamNumber) {
    guard let stream = find(stream) else { return consumed(bytes.count) }
    stream.received(bytes)
  }

  override func receivedEnd(of stream: StreamNumber) {
    find(stream)?.receivedEnd()
  }

  override func receivedBadTrailers(_ error: HTTPParseError, on stream: StreamNumber) {
    find(stream)?.receivedBadBody(error)
  }

  override func sentEnd(of stream: StreamNumber) {
    find(stream)?.sentEnd()
  }

  override func closed(_ stream: StreamNumber) {
    find(stream)?.lost()
  }

  override func takeBody(of stream: StreamNumber, into room: inout MutableSpan<UInt8>) -> BodyPart {
    find(stream)?.takeBody(into: &room) ?? .last(0)
  }

  override func flooded(_ kind: FloodBudget.Kind) {
    context.flooded(connection, kind)
  }

  // MARK: Events of the connection

  /// The client has taken all that waited for it.
  func clientDrained() {
    isHeldUp = false
    stall.drained()
    flush()
  }

  /// The TCP connection is gone, and all streams with it.
  func connectionLost() {
    for stream in streams.all { stream.lost() }
  }

  /// The edge drains: the client is told to go, and a second later that no stream is served any more. Those that there are end as
  /// their requests do, or at the times that their WebSockets are given.
  func drain() {
    guard refusalTime == .distantFuture, !isRetiring else { return }
    announceEnd()
    refusalTime = context.reactor.now + Self.notice
    flush()
    connection.deadlineMoved()
  }

  /// Ends the connection if it has no stream.
  func closeIfIdle() {
    if streams.isEmpty { retire() }
  }

  /// When `timePassed` wants to be called, at the latest.
  var nextDeadline: Instant {
    min(min(idleDeadline, headDeadline), min(refusalTime, stall.nextDeadline ?? .distantFuture))
  }

  /// Does what is due.
  func timePassed() {
    let now = context.reactor.now
    if stall.isStalled(sentBytes: connection.sentBytes, now: now) { return connection.abort() }
    if now >= refusalTime {
      refusalTime = .distantFuture
      retire()
    }
    if now >= headDeadline {
      headDeadline = .distantFuture
      // The stream that it was for may be gone.
      if isReadingHead { end(.enhanceYourCalm) }
    } else if now >= idleDeadline {
      idleDeadline = .distantFuture
      end(.none)
    }
    flush()
  }

  // MARK: Inside

  /// An open stream: most often the one that was asked for last, which saves an echo on a connection's only stream three searches and
  /// some 400 user instructions (`scripts/bench --parts h2`).
  private func find(_ number: StreamNumber) -> ClientStream? {
    if let latest, latest.number == number { return latest }
    latest = streams[number]
    return latest
  }

  /// The rest of a head is due from its beginning on, whatever else the connection carries.
  private func watchHead() {
    guard isReadingHead else {
      headDeadline = .distantFuture
      return
    }
    guard headDeadline == .distantFuture else { return }
    headDeadline = context.reactor.now + context.snapshot.timeouts.head
    connection.deadlineMoved()
  }

  /// The client has to take something of what waits for it, sooner or later.
  private func watchProgress() {
    stall.waits(sentBytes: connection.sentBytes, limits: context.snapshot.stall, now: context.reactor.now)
    connection.deadlineMoved()
  }

  private func tellDrained() {
    while let stream = drainedStreams.popLast() { stream.drained() }
  }

  /// Everything is said.
  private func finish() {
    connectionLost()
    connection.finishSession()
  }

  /// How long a client may still open streams after it was told to go: its requests may be on their way.
  private static let notice = Duration.seconds(1)
}
