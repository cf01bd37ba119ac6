import EdgeCore
import EdgePolicy

/// What the edge has to tell a client between the worker's messages, on routes with `notice: envelope`.
///
/// Bounded: one notice of each kind waits, the newest, and throttle notices go out at most once a second. An object, so that a
/// connection without notices does not hold its room.
final class ClientNotices {
  private var throttle: LimitExcess?
  /// When the delayed message passes: the notice is news until then.
  private var throttleEnds = Instant.distantFuture
  private var dropped = 0
  private var throttleTold: Instant?
  private var token: TokenNotice?

  /// When `take` may have something that it has not now.
  var nextDeadline: Instant {
    guard throttle != nil, let throttleTold else { return .distantFuture }
    return throttleTold + Self.pause
  }

  func add(_ excess: LimitExcess, now: Instant) {
    throttle = excess
    switch excess.action {
    case .delay: throttleEnds = now + excess.retryAfter
    case .drop:
      dropped += 1
      throttleEnds = .distantFuture
    case .close: break
    }
  }

  func add(_ notice: TokenNotice) {
    token = notice
  }

  /// The next notice that is due, as the text of a message.
  func take(now: Instant) -> [UInt8]? {
    if let notice = token {
      token = nil
      return notice.message.encoded()
    }
    guard let excess = throttle, throttleTold.map({ now >= $0 + Self.pause }) ?? true else { return nil }
    throttle = nil
    guard now < throttleEnds || dropped > 0 else { return nil }
    throttleTold = now
    defer { dropped = 0 }
    return excess.message(dropped: dropped).encoded()
  }

  /// The least time between two throttle notices.
  static let pause = Duration.seconds(1)
}

/// What a client is told of its token.
public enum TokenNotice: Equatable, Sendable {
  /// It is worth nothing after so long.
  case expiring(in: Duration)
  /// A new one was accepted, which is good for so long.
  case renewed(expiresIn: Duration)
  /// A new one was not accepted, for the reason that the word says; the old one holds.
  case refused(word: String)

  fileprivate var message: JSON {
    switch self {
    case .expiring(let time): envelope("edge.token_expiring", ["expires_in_ms": .milliseconds(time)])
    case .renewed(let time): envelope("edge.token_renewed", ["expires_in_ms": .milliseconds(time)])
    case .refused(let word): envelope("edge.token_refused", ["reason": .string(word)])
    }
  }
}

extension LimitExcess {
  fileprivate func message(dropped: Int) -> JSON {
    envelope(
      "edge.throttle",
      [
        "reason": .string(kind.word), "action": .string(action.word), "limit": .integer(Int64(clamping: rate.units)),
        "window_ms": .integer(Int64(clamping: rate.periodNanoseconds / 1_000_000)),
        "retry_after_ms": .milliseconds(retryAfter), "dropped": .integer(Int64(dropped)),
      ])
  }
}

private func envelope(_ type: String, _ data: JSON) -> JSON {
  ["type": .string(type), "data": data]
}

extension JSON {
  /// Rounded up: who comes back then is not too early.
  fileprivate static func milliseconds(_ duration: Duration) -> JSON {
    .integer(duration.roundedUp(to: .milliseconds(1)))
  }
}
