internal import EdgeCore

/// One reader of the hub's events: what waits for it, and the connection that carries it.
///
/// The hub offers on any thread; the server takes on its own. A server that finds nothing parks the connection, and whoever offers
/// something next wakes it: both under one lock, so that no wake is lost.
final class EventReader: Sendable {
  let filter: EventFilter
  private let state: Guarded<State>

  init(_ filter: EventFilter, now: Instant) {
    self.filter = filter
    state = Guarded(State(lastHeartbeat: now))
  }

  /// How a connection that waits for events is parked.
  struct Parking: Sendable {
    /// Takes the connection up again.
    let resume: @Sendable () -> Void
    /// Whether nobody is at its other end any more.
    let isAbandoned: @Sendable () -> Bool
  }

  /// What there is to send.
  enum Portion: Equatable {
    case bytes([UInt8])
    /// Nothing: the connection is parked until there is.
    case parked
    /// The stream is over.
    case end
  }

  /// Leaves an event for the reader, or counts it as lost where too much waits already.
  func offer(_ event: [UInt8]) {
    state.withLock { state in
      state.add(event)
      state.wake()
    }
  }

  /// Takes the oldest bytes that wait, at most `maxBytes`.
  ///
  /// - Parameter park: called where nothing waits, while nobody else can wake the connection.
  func take(_ maxBytes: Int, park: () -> Parking) -> Portion {
    state.withLock { state in
      guard !state.isOver else { return .end }
      guard let bytes = state.take(maxBytes) else {
        state.parking = park()
        return .parked
      }
      return .bytes(bytes)
    }
  }

  /// Sends a heartbeat when its time has come, and ends the stream of who is gone.
  func tick(now: Instant) {
    state.withLock { state in
      if state.parking?.isAbandoned() == true { return state.end() }
      guard now - state.lastHeartbeat >= Self.heartbeatPeriod else { return }
      state.lastHeartbeat = now
      guard state.waiting.isEmpty else { return }
      state.add(heartbeat)
      state.wake()
    }
  }

  /// The stream is over.
  func end() {
    state.withLock { $0.end() }
  }

  static let heartbeatPeriod = Duration.seconds(15)

  /// The most that waits for a reader.
  static let maxWaitingBytes = 262_144

  private struct State {
    /// The stream begins with a heartbeat: so the reader sees at once that it is there.
    var waiting = {
      var waiting = ByteQueue()
      waiting.append(heartbeat)
      return waiting
    }()
    /// Events that found no room, and of which the reader knows nothing yet.
    var lost: Int64 = 0
    var lastHeartbeat: Instant
    var parking: Parking?
    var isOver = false

    init(lastHeartbeat: Instant) {
      self.lastHeartbeat = lastHeartbeat
    }

    mutating func add(_ event: [UInt8]) {
      let notice = lost > 0 ? lostNotice : []
      guard !isOver, waiting.count + notice.count + event.count <= EventReader.maxWaitingBytes else {
        lost += 1
        return
      }
      lost = 0
      waiting.append(notice)
      waiting.append(event)
    }

    mutating func take(_ maxBytes: Int) -> [UInt8]? {
      if waiting.isEmpty, lost > 0 {
        waiting.append(lostNotice)
        lost = 0
      }
      guard !waiting.isEmpty else { return nil }
      let count = min(maxBytes, waiting.count)
      let bytes = waiting.withBytes { bytes in Array(copying: bytes.extracting(first: count)) }
      waiting.removeFirst(count)
      return bytes
    }

    mutating func end() {
      isOver = true
      waiting = ByteQueue()
      wake()
    }

    mutating func wake() {
      parking?.resume()
      parking = nil
    }

    private var lostNotice: [UInt8] { serverSentEvent("lost", ["count": .integer(lost)]) }
  }
}

extension [UInt8] {
  fileprivate init(copying bytes: Span<UInt8>) {
    self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
  }
}

/// A line that readers skip (HTML Living Standard §9.2.7 asks for one every 15 seconds or so).
private let heartbeat = Array(": heartbeat\n\n".utf8)
