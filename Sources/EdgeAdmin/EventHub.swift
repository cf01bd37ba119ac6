public import EdgeCore
internal import Synchronization

/// Where whatever happens is told to those who read `GET /api/v1/events`.
///
/// Any thread may publish. As long as nobody reads, that costs one load of an atomic; else the event is rendered once and copied to
/// each reader that asked for its like. Nothing waits for a reader: one that is too slow loses events, and is told how many.
public final class EventHub: Sendable {
  private let state = Guarded(State())
  private let readerCount = Atomic(0)

  /// Makes a hub that nobody reads yet.
  public init() {}

  /// Whether anybody reads.
  public var isRead: Bool { readerCount.load(ordering: .relaxed) > 0 }

  /// Tells all readers of an event; it is not even made where there are none.
  public func publish(_ event: @autoclosure () -> AdminEvent) {
    guard isRead else { return }
    let event = event()
    state.withLock { state in
      state.serial += 1
      var text: [UInt8]?
      for reader in state.readers where reader.filter.matches(event) {
        let rendered = text ?? event.text(serial: state.serial)
        text = rendered
        reader.offer(rendered)
      }
    }
  }

  /// Keeps quiet streams alive with a heartbeat, and ends those whose reader is gone. Call it about once a second.
  public func tick(now: Instant) {
    guard isRead else { return }
    state.withLock { state in
      for reader in state.readers { reader.tick(now: now) }
    }
  }

  /// Begins to read; nil where as many read as may, or the hub is closed.
  func subscribe(_ filter: EventFilter, now: Instant) -> EventReader? {
    state.withLock { state in
      guard !state.isClosed, state.readers.count < Self.maxReaders else { return nil }
      let reader = EventReader(filter, now: now)
      state.readers.append(reader)
      readerCount.store(state.readers.count, ordering: .relaxed)
      return reader
    }
  }

  /// A reader reads no more.
  func unsubscribe(_ reader: EventReader) {
    state.withLock { state in
      state.readers.removeAll { $0 === reader }
      readerCount.store(state.readers.count, ordering: .relaxed)
    }
  }

  /// Ends all streams, and lets none begin: when the admin plane goes down.
  func close() {
    state.withLock { state in
      state.isClosed = true
      for reader in state.readers { reader.end() }
    }
  }

  /// How many may read at a time.
  static let maxReaders = 16

  private struct State {
    var readers: [EventReader] = []
    var serial: UInt64 = 0
    var isClosed = false
  }
}

/// Which events a reader wants.
struct EventFilter: Sendable {
  var kinds = Set(AdminEvent.Kind.allCases)
  var route: String?
  var user: String?
  var addresses: CIDR?

  func matches(_ event: AdminEvent) -> Bool {
    guard kinds.contains(event.kind) else { return false }
    if let route, !(event.route?.utf8.elementsEqual(route.utf8) ?? false) { return false }
    if let user, !(event.user?.utf8.elementsEqual(user.utf8) ?? false) { return false }
    if let addresses, !(event.address.map(addresses.contains) ?? false) { return false }
    return true
  }
}
