import ArgumentParser
import EdgeIO
import EdgeServer

extension ExitCode {
  /// A configuration, or a file that it names, that cannot be used (sysexits(3): EX_CONFIG).
  static let configuration = ExitCode(78)
  /// An address that cannot be bound (EX_UNAVAILABLE).
  static let unavailable = ExitCode(69)

  /// Prints why the program ends; gives itself back, to be thrown.
  func saying(_ message: String) -> ExitCode {
    StandardStreams.writeError("sluice: \(message)\n")
    return self
  }

  /// The code for an edge that could not begin to serve, once the reason is printed.
  static func saying(_ error: StartError) -> ExitCode {
    switch error {
    case .configuration: configuration.saying("\(error)")
    case .bind: unavailable.saying("\(error)")
    case .system: failure.saying("\(error)")
    }
  }
}
