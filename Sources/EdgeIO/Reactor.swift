public import EdgeCore

/// One thread's event loop: descriptors by epoll, timers, and deferred work.
///
/// A reactor is made, used and released on its own thread; other threads reach it through a `Mailbox`. A turn of the loop
/// serves at most 256 events, then whoever has his turn behind them, then the timers that are due, then the deferred work that was
/// asked for before.
///
/// Epoll's token is the source's slot and the slot's generation, so an event for a source that was removed, even in the
/// same batch, finds nobody.
public final class Reactor {
  /// The time at the start of this turn.
  public var now: Instant {
    @inline(never)  // Inlined into another module, each look checks for exclusive access: 58 user instructions more.
    get { turnBegan }
  }
  private var turnBegan: Instant
  private var turnEnded: Instant
  private let epoll: Epoll
  private var slots: [Slot] = []
  private var freeSlots: [Int32] = []
  private var timers: TimerWheel
  private var queued: [UInt64] = []
  private var running: [UInt64] = []
  private var turnBehindEvents: UInt64?
  private var isStopped = false
  private var longestTurnNanoseconds: UInt64 = 0

  /// Makes a reactor without sources.
  public init() throws(SystemError) {
    epoll = try Epoll()
    turnBegan = MonotonicClock.now()
    turnEnded = turnBegan
    timers = TimerWheel(now: turnBegan)
  }

  /// Serves a source; from now on the reactor holds it.
  ///
  /// - Parameters:
  ///   - source: a source that no reactor serves.
  ///   - descriptor: nonblocking; the source keeps owning it, and removes itself before closing it.
  ///   - interest: edge-triggered unless it says otherwise. What is ready already is told in the next turn.
  /// - Throws: `SystemError` from `epoll_ctl`; the source is then not added.
  public func add(_ source: EventSource, descriptor: Int32, interest: Interest) throws(SystemError) {
    add(source)
    do {
      try epoll.add(descriptor, interest, token: token(of: source))
    } catch {
      remove(source)
      throw error
    }
    source.descriptor = descriptor
    source.interest = interest
  }

  /// Serves a source that has no descriptor, only a timer and deferred work.
  public func add(_ source: EventSource) {
    precondition(!source.isAdded, "a source is added once")
    if let slot = freeSlots.popLast() {
      source.slot = slot
    } else {
      source.slot = Int32(slots.count)
      slots.append(Slot())
    }
    slots[Int(source.slot)].source = source
  }

  /// Changes what the source is told of; what is ready already is told in the next turn.
  public func modify(_ source: EventSource, interest: Interest) {
    precondition(source.isAdded && !source.interest.union(interest).contains(.exclusive), "the kernel refuses it")
    guard source.interest != interest else { return }
    source.interest = interest
    let found = epoll.modify(source.descriptor, interest, token: token(of: source))
    assert(found, "a descriptor is closed only after its source is removed")
  }

  /// Forgets the source, its timer and its deferred work, and lets go of it. Does nothing if it is not added.
  ///
  /// Call it before the descriptor is closed. No event reaches the source afterwards, not even one of this turn.
  ///
  /// - Parameter closing: whether the source closes its descriptor at once, and nobody has another of the same socket: then the
  ///   kernel stops watching by itself, which spares a system call.
  public func remove(_ source: EventSource, closing: Bool = false) {
    guard source.isAdded else { return }
    let slot = Int(source.slot)
    if source.descriptor >= 0, !closing { unwatch(source) }
    timers.cancel(slot)
    source.descriptor = -1
    source.slot = -1
    source.isQueued = false
    slots[slot].generation &+= 1
    freeSlots.append(Int32(slot))
    slots[slot].source = nil
  }

  /// Calls `source.timerFired()` at `deadline` or up to 3 ms later. A source has one timer: the last call counts.
  ///
  /// Costs about 400 instructions. A deadline that each message puts off is better kept in the source, which sets its timer
  /// again only when it fires too soon for that deadline.
  public func setTimer(_ source: EventSource, at deadline: Instant) {
    precondition(source.isAdded)
    timers.set(Int(source.slot), at: deadline)
  }

  /// Unsets the source's timer, if it is set.
  public func cancelTimer(_ source: EventSource) {
    guard source.isAdded else { return }
    timers.cancel(Int(source.slot))
  }

  /// Calls `source.turn()` once, after the events of this turn; when called from a `turn()`, in the next one.
  ///
  /// For fairness: a source that has had its share of bytes comes back after the others. Does nothing if the source is
  /// not added or was already asked for.
  public func runLater(_ source: EventSource) {
    guard source.isAdded, !source.isQueued else { return }
    source.isQueued = true
    queued.append(token(of: source))
  }

  /// Calls `source.turn()` in every turn, behind its events and before timers fire: for what many sources have to do that is cheaper
  /// done together. One source has that place, as long as it is added.
  public func runBehindEvents(_ source: EventSource) {
    precondition(source.isAdded)
    turnBehindEvents = token(of: source)
  }

  /// Serves its sources until `stop()`, then removes all of them.
  public func run() {
    isStopped = false
    while !isStopped { runTurn(until: .distantFuture) }
    removeAll()
  }

  /// Lets `run()` return after this turn. To be called on the reactor's thread.
  public func stop() {
    isStopped = true
  }

  /// Runs one turn of the loop, waiting for something to do until `deadline` at most.
  public func runTurn(until deadline: Instant) {
    let wake = queued.isEmpty ? timers.nextWake.map { min($0, deadline) } ?? deadline : turnBegan
    let count = epoll.wait(until: wake == .distantFuture ? nil : wake, now: turnEnded)
    turnBegan = MonotonicClock.now()
    for index in 0..<count {
      let event = epoll[index]
      source(for: event.token)?.ready(event.readiness)
    }
    if let turnBehindEvents { source(for: turnBehindEvents)?.turn() }
    fireTimers()
    runQueued()
    turnEnded = MonotonicClock.now()
    longestTurnNanoseconds = max(longestTurnNanoseconds, turnEnded.nanoseconds - now.nanoseconds)
  }

  /// Removes every source: for the end of a thread, and to break reference cycles.
  public func removeAll() {
    for slot in slots.indices {
      if let source = slots[slot].source { remove(source) }
    }
  }

  /// How long the longest turn since the last call took, without its wait: the lag that one source caused the others.
  public func takeLongestTurn() -> Duration {
    defer { longestTurnNanoseconds = 0 }
    return .nanoseconds(Int64(clamping: longestTurnNanoseconds))
  }

  /// How many sources are added.
  public var sourceCount: Int { slots.count - freeSlots.count }

  private func fireTimers() {
    while let slot = timers.popDue(at: now) { slots[slot].source?.timerFired() }
  }

  private func runQueued() {
    guard !queued.isEmpty else { return }
    swap(&queued, &running)
    for token in running {
      guard let source = source(for: token) else { continue }
      source.isQueued = false
      source.turn()
    }
    running.removeAll(keepingCapacity: true)
  }

  private func source(for token: UInt64) -> EventSource? {
    let slot = slots[Int(token & 0xffff_ffff)]
    return slot.generation == UInt32(truncatingIfNeeded: token >> 32) ? slot.source : nil
  }

  private func token(of source: EventSource) -> UInt64 {
    UInt64(slots[Int(source.slot)].generation) << 32 | UInt64(source.slot)
  }
}

extension Reactor {
  /// Stops watching the descriptor; the source stays, with its timer. For sources that share a descriptor.
  func suspend(_ source: EventSource) {
    unwatch(source)
  }

  /// Watches the descriptor of a suspended source again.
  func resume(_ source: EventSource) throws(SystemError) {
    try epoll.add(source.descriptor, source.interest, token: token(of: source))
  }

  private func unwatch(_ source: EventSource) {
    _ = epoll.remove(source.descriptor)
  }
}

private struct Slot {
  var source: EventSource?
  var generation: UInt32 = 0
}
