import EdgeCore
import EdgePolicy
import EdgeWebSocket

/// What holds a client's frames back: the limits on its messages, and the budget of its other frames.
///
/// An object, so that a connection that no limit has met yet holds nothing for it. Used by one thread.
final class ClientThrottle {
  private let meter: MessageMeter
  private var frames = FrameBudget()
  private var turn = Turn.open
  private var episode = ExcessEpisode()

  init(scopes: [MeteredScope] = []) {
    meter = MessageMeter(scopes: scopes)
  }

  /// Until when nothing of the client's is read; nil where it is read.
  var waitsUntil: Instant? {
    if case .waiting(let time, isMessage: _) = turn { time } else { nil }
  }

  /// What a scope allows; nil where it limits nothing.
  func limits(of scope: LimitScope) -> MessageLimits? { meter.limits(of: scope) }

  /// A scope has these limits from now on; nil ends it. What waits is judged anew.
  func setLimits(_ limits: MessageLimits?, of scope: LimitScope) {
    meter.setLimits(limits, of: scope)
    if case .waiting(_, isMessage: true) = turn { turn = .open }
  }

  /// Other limits hold from now on. What waits is judged anew.
  func adopt(_ scopes: [MeteredScope]) {
    meter.adopt(scopes)
    if case .waiting(_, isMessage: true) = turn { turn = .open }
  }

  /// Charges a message, if nothing holds it back: the common case, told in one bit.
  func passes(messageOf payloadBytes: Int, now: Instant) -> Bool {
    guard case .open = turn else { return false }
    return meter.take(payloadBytes: UInt64(payloadBytes), now: now)
  }

  /// Judges a message by its first frame.
  func judge(messageOf payloadBytes: Int, now: Instant) -> ThrottleVerdict {
    switch turn {
    case .waiting: return .wait(nil)
    case .granted:
      turn = .open
      meter.redeemReservation()
      return .pass
    case .open: break
    }
    switch meter.charge(payloadBytes: UInt64(payloadBytes), now: now) {
    case .allowed: return .pass
    case .delayed(let excess): return wait(excess, isMessage: true, now: now)
    case .dropped(let excess): return .drop(excess)
    case .closing(let excess): return .close(excess)
    }
  }

  /// Judges a frame that begins no message, where messages may have `maxMessageBytes`.
  func judge(_ frame: FrameBudget.Frame, maxMessageBytes: Int, now: Instant) -> ThrottleVerdict {
    switch turn {
    case .waiting: return .wait(nil)
    case .granted:
      turn = .open
      return .pass
    case .open: break
    }
    switch frames.charge(frame, maxMessageBytes: maxMessageBytes, now: now) {
    case .allowed: return .pass
    case .delayed(let excess): return wait(excess, isMessage: false, now: now)
    case .exhausted(let excess): return .close(excess)
    }
  }

  /// The payload of a fragment that passes is charged on credit.
  func chargeFragment(of payloadBytes: Int, now: Instant) {
    meter.chargeFragment(payloadBytes: UInt64(payloadBytes), now: now)
  }

  /// A frame was an answer to the edge itself.
  func refund(_ frame: FrameBudget.Frame) {
    frames.refund(frame)
  }

  /// Notes what a verdict told.
  ///
  /// - Returns: whether that begins an episode.
  func note(_ excess: LimitExcess, now: Instant) -> Bool {
    let isNews = !episode.goesOn(at: now)
    _ = episode.note(retryAfter: excess.retryAfter, now: now)
    return isNews
  }

  /// Whether an episode goes on.
  func isInExcess(at now: Instant) -> Bool { episode.goesOn(at: now) }

  /// What waits may pass, if its time has come.
  ///
  /// - Returns: whether reading goes on.
  func timePassed(now: Instant) -> Bool {
    guard case .waiting(let time, isMessage: _) = turn, now >= time else { return false }
    turn = .granted
    return true
  }

  /// The connection ends: what waits never passes, and nothing is held back any more.
  func end() {
    meter.cancelReservation()
    turn = .open
  }

  private func wait(_ excess: LimitExcess, isMessage: Bool, now: Instant) -> ThrottleVerdict {
    turn = .waiting(until: now + excess.retryAfter, isMessage: isMessage)
    return .wait(excess)
  }
}

/// What a throttle says of a frame.
enum ThrottleVerdict {
  case pass
  /// It passes later: offer it again then. The excess is told once.
  case wait(LimitExcess?)
  case drop(LimitExcess)
  case close(LimitExcess)
}

/// Whether the client's next frame may be judged.
private enum Turn {
  case open
  case waiting(until: Instant, isMessage: Bool)
  /// The next frame has waited, and was charged before.
  case granted
}
