internal import CSystem
internal import Glibc

/// Signals as events of a reactor.
public final class SignalSource: EventSource {
  private let signals: Int32
  private let handler: (Int32) -> Void

  /// Blocks signals in this thread, so that they wait for the reactor instead of ending the process.
  ///
  /// Threads inherit what is blocked: make this source before any thread is started, on the thread that starts them.
  ///
  /// - Parameters:
  ///   - numbers: such as SIGTERM and SIGHUP.
  ///   - handler: called on the reactor's thread with the number of a signal that came.
  public init(_ numbers: [Int32], handler: @escaping (Int32) -> Void) throws(SystemError) {
    let mask = numbers.reduce(UInt64(0)) { mask, number in mask | 1 << UInt64(number - 1) }
    signals = csystem_signal_descriptor(mask)
    guard signals >= 0 else { throw SystemError.last("signalfd") }
    self.handler = handler
    super.init()
  }

  deinit {
    close(signals)
  }

  /// Begins to receive, with the signals that wait already.
  public func attach(to reactor: Reactor) throws(SystemError) {
    try reactor.add(self, descriptor: signals, interest: .readable)
  }

  /// Handles all signals that have come.
  public override func ready(_ readiness: Readiness) {
    while case let number = csystem_next_signal(signals), number != 0 { handler(number) }
  }

  /// Makes writing to a closed pipe or socket an error (EPIPE) instead of the end of the process, everywhere in it.
  public static func ignoreBrokenPipes() {
    csystem_ignore_broken_pipes()
  }
}
