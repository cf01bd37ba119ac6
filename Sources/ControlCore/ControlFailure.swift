public import EdgeCore

/// Why a command did not do what it was asked; each case is an exit code (sysexits(3) where that has one).
public enum ControlFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// Something went wrong.
  case failed(String)
  /// The edge has no such resource: it is another release.
  case unknown(String)
  /// The command line asks for something that there is not.
  case usage(String)
  /// There is nothing that the command is about.
  case nothingMatched(String)
  /// The edge does not answer.
  case unreachable(String)
  /// The edge, or the system, does not let us.
  case denied(String)
  /// The edge refuses a configuration: what is wrong, and in which file as far as that is known.
  case badConfiguration(file: String?, [ConfigurationFlaw])

  /// What the program ends with.
  public var exitCode: Int32 {
    switch self {
    case .failed, .unknown: 1
    case .usage: 64
    case .nothingMatched: 65
    case .unreachable: 69
    case .denied: 77
    case .badConfiguration: 78
    }
  }

  /// What happened and what to do, perhaps in several lines.
  public var description: String {
    switch self {
    case .failed(let text), .unknown(let text), .usage(let text), .nothingMatched(let text), .unreachable(let text),
      .denied(let text):
      text
    case .badConfiguration(let file, let flaws): flaws.map { $0.line(in: file) }.joined(separator: "\n")
    }
  }

  /// The same with the name of the file, where it is about one.
  public func inFile(_ file: String?) -> ControlFailure {
    switch self {
    case .badConfiguration(_, let flaws): .badConfiguration(file: file, flaws)
    case .failed, .unknown, .usage, .nothingMatched, .unreachable, .denied: self
    }
  }

  /// What a refusal of the edge means.
  ///
  /// - Parameters:
  ///   - status: of the answer, 300 or more.
  ///   - problem: the body, which is a problem of RFC 9457 where the edge wrote it.
  ///   - target: what was asked for.
  public init(status: Int, problem: JSON?, target: String) {
    let detail = TerminalText.safe(
      problem?["detail"]?.stringValue ?? "The edge answered \(status) to \(target).", maxWidth: 2_000)
    let member = (problem?["pointer"] ?? problem?["field"])?.stringValue.map { " (\(TerminalText.safe($0)))" } ?? ""
    let word = problem?["error"]?.stringValue
    switch status {
    case 400, 413: self = .usage(detail + member)
    case 401, 429: self = .denied(word == "token_missing" ? "\(detail) Give --token-file, or set SLUICECTL_TOKEN_FILE." : detail)
    case 403: self = .denied(detail)
    case 404 where word == "not_found" || word == nil:
      self = .unknown("This edge does not know \(target): is it older than sluicectl?")
    case 404: self = .nothingMatched(detail)
    case 422:
      let errors = problem?["errors"]?.arrayValue ?? []
      self = .badConfiguration(
        file: nil, errors.isEmpty ? [ConfigurationFlaw(message: detail)] : errors.map(ConfigurationFlaw.init))
    case 503: self = .unreachable(detail)
    default: self = .failed(detail)
    }
  }
}
