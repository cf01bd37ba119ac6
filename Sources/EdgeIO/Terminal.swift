internal import CSystem
internal import Glibc

/// The terminal that the program was started on, if it was.
public enum Terminal {
  /// One of the program's own streams.
  public enum Stream: Sendable {
    /// Where input comes from.
    case input
    /// Where results go.
    case output
    /// Where everything else is said.
    case error
  }

  /// Whether a person is at the other end of the stream.
  public static func isTerminal(_ stream: Stream) -> Bool {
    switch stream {
    case .input: isatty(STDIN_FILENO) == 1
    case .output: isatty(STDOUT_FILENO) == 1
    case .error: isatty(STDERR_FILENO) == 1
    }
  }

  /// Columns and rows of the output's terminal; 80 by 24 for one that does not say, nil where there is none.
  public static func outputSize() -> (columns: Int, rows: Int)? {
    guard isTerminal(.output) else { return nil }
    let size = csystem_terminal_size(STDOUT_FILENO)
    return (size.columns > 0 ? Int(size.columns) : 80, size.rows > 0 ? Int(size.rows) : 24)
  }
}

/// The keyboard of the input's terminal, key by key: what is typed is not shown. The terminal is put back at the end.
///
/// Ctrl-C stays a signal. Ctrl-Z does nothing, so that nobody finds a shell on a screen that was taken.
@safe
public final class Keyboard: EventSource {
  private var before: termios
  private let handler: (UInt8?) -> Void

  /// Takes the keyboard.
  ///
  /// - Parameter handler: called on the reactor's thread with each byte that was typed; nil once the terminal is gone.
  /// - Throws: `SystemError` where the input is no terminal.
  public init(handler: @escaping (UInt8?) -> Void) throws(SystemError) {
    before = termios()
    guard unsafe csystem_read_keys(STDIN_FILENO, &before) == 0 else { throw SystemError.last("tcgetattr") }
    self.handler = handler
    super.init()
  }

  deinit {
    unsafe tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
  }

  /// Begins to receive.
  public func attach(to reactor: Reactor) throws(SystemError) {
    try reactor.add(self, descriptor: STDIN_FILENO, interest: [.readable, .levelTriggered])
  }

  /// Handles what was typed.
  public override func ready(_ readiness: Readiness) {
    if !readiness.isDisjoint(with: [.hungUp, .error]) { return handler(nil) }
    var byte: UInt8 = 0
    while retryingInterrupts({ unsafe read(STDIN_FILENO, &byte, 1) }) == 1 { handler(byte) }
  }
}
