import ArgumentParser
import ControlCore
import EdgeCore
import EdgeIO

/// A command that asks an edge; what goes wrong is printed, and becomes the exit code.
protocol ControlCommand: ParsableCommand {
  /// Which edge, and how its answers are shown.
  var options: ControlOptions { get }

  /// Does it.
  func perform(in session: Session) throws(ControlFailure)
}

extension ControlCommand {
  func run() throws {
    do throws(ControlFailure) {
      try perform(in: try Session(options))
    } catch {
      throw ExitCode.saying(error)
    }
  }
}

extension ExitCode {
  /// The code for a failure, once it is printed.
  static func saying(_ failure: ControlFailure) -> ExitCode {
    for line in failure.description.split(separator: "\n") {
      // An error of a configuration has a place in front, which editors look for at the beginning of a line.
      if case .badConfiguration = failure { StandardStreams.writeError("\(line)\n") } else { Session.note(String(line)) }
    }
    return ExitCode(failure.exitCode)
  }
}

/// One run of the program: an edge to ask, and a person or a script to answer.
struct Session {
  let client: AdminClient
  let server: ServerAddress
  let output: OutputFormat
  let painter: Painter

  init(_ options: ControlOptions) throws(ControlFailure) {
    server = try Session.server(options)
    let token = try Session.token(options)
    if token != nil, server.isExposed {
      Session.note("The token goes to \(server) unencrypted. Forward the port by SSH instead.")
    }
    client = try AdminClient(server: server, token: token, timeout: options.timeout.duration)
    output = options.output
    painter = Painter(
      isColored: options.color.isColored(onTerminal: Terminal.isTerminal(.output)) { ProcessEnvironment.variables[$0] })
  }

  /// Asks the edge.
  ///
  /// - Parameter file: the file that the request is about, for what is wrong with it.
  /// - Returns: its answer in JSON.
  func ask(_ request: APIRequest, file: String? = nil) throws(ControlFailure) -> JSON {
    let body: [UInt8]
    do throws(ControlFailure) {
      body = try client.ask(request)
    } catch {
      throw error.inFile(file)
    }
    guard let answer = try? JSON(parsing: body) else {
      throw .failed("\(server) does not answer in JSON: is an edge's admin plane there?")
    }
    return answer
  }

  /// Shows an answer: as it came, or as text for people.
  func show(_ answer: JSON, text: (JSON) -> String) {
    switch output {
    case .json: StandardStreams.writeOutput(answer.terminalSafeText + "\n")
    case .table: StandardStreams.writeOutput(text(answer))
    }
  }

  /// Shows a list.
  func show(_ answer: JSON, table: (JSON) -> TextTable) {
    show(answer) { table($0).text(width: Terminal.outputSize()?.columns, painter: painter) }
  }

  /// Shows facts.
  func show(_ answer: JSON, sheet: (JSON) -> Sheet) {
    show(answer) { sheet($0).text(width: Terminal.outputSize()?.columns, painter: painter) }
  }

  /// Says what was done, in a sentence; scripts get the answer itself.
  func report(_ answer: JSON, _ sentence: String) {
    show(answer) { _ in "\(sentence)\n" }
  }

  /// Asks a person whether something is meant that concerns many.
  ///
  /// - Parameters:
  ///   - question: without its mark, such as `Close 2,431 connections`.
  ///   - isAnswered: whether the command line says yes already.
  /// - Throws: `ControlFailure` unless the answer is yes.
  func confirm(_ question: String, isAnswered: Bool) throws(ControlFailure) {
    if isAnswered { return }
    guard Terminal.isTerminal(.input) else { throw .usage("\(question)? Say --yes, since there is no terminal to ask at.") }
    StandardStreams.writeError("\(question)? [y/N] ")
    let answer = readLine() ?? ""
    guard ["y", "yes"].contains(answer.lowercased()) else { throw .failed("Nothing was changed.") }
  }

  /// Says something beside the results.
  static func note(_ text: String) {
    StandardStreams.writeError("sluicectl: \(text)\n")
  }

  // MARK: Where, and with what

  private static func server(_ options: ControlOptions) throws(ControlFailure) -> ServerAddress {
    if let server = options.server { return server }
    guard let text = ProcessEnvironment.variables["SLUICECTL_SERVER"], !text.isEmpty else { return .standard }
    guard let server = ServerAddress(text) else {
      throw .usage("SLUICECTL_SERVER must be like unix:///run/sluice/admin.sock or http://127.0.0.1:9901.")
    }
    return server
  }

  private static func token(_ options: ControlOptions) throws(ControlFailure) -> String? {
    let named = options.tokenFile ?? ProcessEnvironment.variables["SLUICECTL_TOKEN_FILE"]
    guard let path = named, !path.isEmpty else { return nil }
    let bytes: [UInt8]
    do {
      bytes = try FileSystem.readFile(path, maxBytes: maxTokenFileBytes)
    } catch {
      throw .usage("The token file \(path): \(error).")
    }
    if FileSystem.isReadableByAll(path) { note("\(path) can be read by everybody on this machine: chmod 600 it.") }
    let token = ASCII.trimmed(bytes.filter { $0 != 0x0a && $0 != 0x0d })
    guard !token.isEmpty, token.allSatisfy(ASCII.isVisible) else {
      throw .usage("The token file \(path) must hold one token, on one line.")
    }
    return String(decoding: token, as: UTF8.self)
  }
}

private let maxTokenFileBytes = 4_096
