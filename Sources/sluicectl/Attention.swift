import ControlCore
import EdgeCore
import EdgeIO
import Glibc

/// Waits for time, keys and signals. While it exists, signals that would end the program are only noted, so that whatever it took can
/// be given back.
final class Attention {
  /// What ended a wait.
  enum Event: Equatable {
    case timeUp
    case key(UInt8)
    /// The terminal has another size.
    case resized
    /// A signal, or the end of the terminal, asks the program to end.
    case stop
  }

  private let reactor: Reactor
  private var events: [Event] = []

  /// Begins.
  ///
  /// - Parameter keys: whether to read the keyboard, key by key.
  init(keys: Bool) throws(ControlFailure) {
    do throws(SystemError) {
      reactor = try Reactor()
      try SignalSource([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH]) { [unowned self] number in
        self.events.append(number == SIGWINCH ? .resized : .stop)
      }.attach(to: reactor)
      guard keys else { return }
      try Keyboard { [unowned self] byte in self.events.append(byte.map(Event.key) ?? .stop) }.attach(to: reactor)
    } catch {
      throw .failed("The terminal cannot be used: \(error).")
    }
  }

  deinit {
    reactor.removeAll()
  }

  /// The next thing that happens until `deadline`.
  func wait(until deadline: Instant) -> Event {
    while events.isEmpty {
      reactor.runTurn(until: deadline)
      if events.isEmpty, reactor.now >= deadline { return .timeUp }
    }
    return events.removeFirst()
  }

  /// Whether the program was asked to end; does not wait. Keys that were typed meanwhile are kept.
  func isStopRequested() -> Bool {
    reactor.runTurn(until: MonotonicClock.now())
    return events.contains { $0 == .stop || $0 == .key(quitKey) }
  }
}

let quitKey = UInt8(ascii: "q")
