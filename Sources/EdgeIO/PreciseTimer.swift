internal import CSystem
public import EdgeCore
internal import Glibc

/// A timer for those to whom a millisecond is long, such as load generators. It has a descriptor of its own, and setting it is a
/// system call; all others are better served by `Reactor.setTimer`.
public final class PreciseTimer: EventSource {
  private let timer: Int32
  private let handler: () -> Void

  /// Makes a timer that is not set.
  ///
  /// - Parameter handler: called on the reactor's thread each time a moment has come; it may set the next one.
  public init(handler: @escaping () -> Void) throws(SystemError) {
    timer = csystem_timer_descriptor()
    guard timer >= 0 else { throw SystemError.last("timerfd_create") }
    self.handler = handler
    super.init()
  }

  deinit {
    close(timer)
  }

  /// Begins to be served.
  public func attach(to reactor: Reactor) throws(SystemError) {
    try reactor.add(self, descriptor: timer, interest: .readable)
  }

  /// Fires once at `moment`, never early; at once when it is past. The last call counts.
  public func set(at moment: Instant) {
    let isSet = csystem_set_timer(timer, max(1, moment.nanoseconds)) == 0
    assert(isSet, "a moment of the clock is a valid one")
  }

  /// Each expiry is an edge of its own for epoll, so nobody has to read it.
  public override func ready(_ readiness: Readiness) {
    handler()
  }
}
