import EdgeAdmin
import EdgeCore
import EdgeIO
import Synchronization

/// Reloads the configuration, on a thread of its own: one reload after the other, and no reactor waits for any.
final class Reloader: Sendable {
  private let reload: Reload
  private let orders: Mailbox<ReloadOrder>
  private let thread: PlatformThread
  private let isHangUpDue: Flag

  /// How many reloads may wait for their turn.
  static let maxWaiting = 16
  /// How long a caller waits for its turn and the reload: longer than an identity provider has for its answer.
  private static let patience = Duration.seconds(30)

  /// Starts the thread.
  init(_ reload: Reload) throws(SystemError) {
    let orders = try Mailbox<ReloadOrder>(capacity: Self.maxWaiting)
    let isHangUpDue = Flag()
    thread = try PlatformThread.start("reload") {
      guard let reactor = try? Reactor() else { return orders.close() }
      let source = MailboxSource(orders) { order in
        switch order {
        case .hangUp:
          isHangUpDue.lower()
          _ = reload.run(askedBy: "SIGHUP")
        case .call(let reply): reply(reload.run(askedBy: "admin"))
        case .stop: reactor.stop()
        }
      }
      guard (try? source.attach(to: reactor)) != nil else { return orders.close() }
      reactor.run()
      orders.close()
    }
    self.reload = reload
    self.orders = orders
    self.isHangUpDue = isHangUpDue
  }

  /// A signal asks for a reload. Those that come before it begins ask for the same one.
  func hangUp() {
    if isHangUpDue.raise(), !orders.post(.hangUp) { isHangUpDue.lower() }
  }

  /// Reloads, and waits for what comes of it. Not for a reactor.
  ///
  /// - Throws: `AdminBackendError.timeout`; the reload may still come to its end.
  func run() throws(AdminBackendError) -> ReloadOutcome {
    let answers = try Answers<ReloadOutcome>()
    guard orders.post(.call { answers.add($0) }), let outcome = try answers.wait(for: 1, patience: Self.patience).first else {
      throw .timeout
    }
    return outcome
  }

  /// Where the configuration in force comes from, and what came of the last reload.
  var state: AdminStatus.ConfigurationState { reload.state }

  /// Says what would change if this were the file's text.
  func validate(_ text: String) -> ReloadOutcome { reload.validate(text) }

  /// Ends the thread, and with it whatever a reload waits for.
  func stop() {
    reload.cancel()
    orders.post(.stop)
    thread.join()
  }
}

/// What the thread is told.
private enum ReloadOrder: Sendable {
  case hangUp
  case call(reply: @Sendable (ReloadOutcome) -> Void)
  case stop
}

/// Something that is to be done once, however often it is asked for.
private final class Flag: Sendable {
  private let isRaised = Atomic(false)

  /// Whether it was not raised before.
  func raise() -> Bool {
    !isRaised.exchange(true, ordering: .acquiringAndReleasing)
  }

  func lower() {
    isRaised.store(false, ordering: .releasing)
  }
}
