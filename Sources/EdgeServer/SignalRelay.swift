import EdgeIO

/// Blocks the edge's signals from the start, and hands them on once somebody can handle them.
final class SignalRelay {
  var handler: (Signal) -> Void = { _ in }

  /// - Throws: `SystemError` from `signalfd`.
  init(on reactor: Reactor) throws(SystemError) {
    let source = try SignalSource(Signal.allCases.map(\.rawValue)) { [weak self] number in
      if let signal = Signal(rawValue: number) { self?.handler(signal) }
    }
    try source.attach(to: reactor)
  }
}

/// The signals that the edge knows, by their numbers on Linux.
enum Signal: Int32, CaseIterable {
  case hangUp = 1
  case interrupt = 2
  case reopen = 10
  case terminate = 15
}
