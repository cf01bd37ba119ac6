internal import CSystem

/// Something that a reactor serves: at most one descriptor, one timer, and one place in the list of deferred work.
///
/// Subclass it and override what you need. Everything here runs on the reactor's thread. While a source is added, the
/// reactor holds a strong reference to it; that is normally the only one, so `Reactor.remove` ends the source's life
/// once the call that runs on it returns.
open class EventSource {
  /// The place in the reactor's table, or -1 while the source is not added.
  final var slot: Int32 = -1
  /// What epoll watches, or -1 for a source without a descriptor.
  final var descriptor: Int32 = -1
  final var interest: Interest = []
  final var isQueued = false

  /// Makes a source that no reactor serves yet.
  public init() {}

  /// Whether a reactor serves this source.
  public final var isAdded: Bool { slot >= 0 }

  /// Called when the descriptor became ready. Unless the interest is level-triggered, each readiness is told once:
  /// go on until `wouldBlock`, or until a short read, or ask for `Reactor.runLater`.
  open func ready(_ readiness: Readiness) {}

  /// Called when the time given to `Reactor.setTimer` has come; never early. The timer is then unset.
  open func timerFired() {}

  /// Called once for each `Reactor.runLater`, in the turn that runs the list of deferred work.
  open func turn() {}
}

/// What a descriptor became ready for.
public struct Readiness: OptionSet, Sendable {
  /// Bits of `epoll_event.events`.
  public let rawValue: UInt32

  /// Makes a set from bits of `epoll_event.events`.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Bytes, a connection, or the end wait to be read.
  public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
  /// There is room to write.
  public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
  /// The peer will send no more; bytes may still wait before the end.
  public static let peerClosed = Readiness(rawValue: EPOLLRDHUP.rawValue)
  /// Both directions are over.
  public static let hungUp = Readiness(rawValue: EPOLLHUP.rawValue)
  /// The descriptor holds an error, which the next receive or send reports.
  public static let error = Readiness(rawValue: EPOLLERR.rawValue)
}

/// What a source wants to be told of. Errors and hang-ups are told always.
public struct Interest: OptionSet, Sendable {
  /// One bit for each member.
  public let rawValue: UInt8

  /// Makes a set from its bits.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Bytes to read, and the peer's end.
  public static let readable = Interest(rawValue: 1)
  /// Room to write.
  public static let writable = Interest(rawValue: 2)
  /// Tell again in every turn while it lasts, instead of once: for listeners.
  public static let levelTriggered = Interest(rawValue: 4)
  /// Wake one reactor of those that share the descriptor, not all of them. Such a source cannot be modified.
  public static let exclusive = Interest(rawValue: 8)

  /// The bits for `epoll_ctl`.
  var events: UInt32 {
    var events: UInt32 = 0
    if contains(.readable) { events |= EPOLLIN.rawValue }
    if contains(.writable) { events |= EPOLLOUT.rawValue }
    if !contains(.levelTriggered) { events |= EPOLLET.rawValue }
    // The kernel refuses EPOLLRDHUP together with EPOLLEXCLUSIVE.
    events |= contains(.exclusive) ? EPOLLEXCLUSIVE.rawValue : contains(.readable) ? EPOLLRDHUP.rawValue : 0
    return events
  }
}
