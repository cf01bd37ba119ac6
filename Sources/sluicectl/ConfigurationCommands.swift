import ArgumentParser
import ControlCore
import EdgeCore
import EdgeIO

/// `sluicectl reload`.
struct ReloadCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Applies the configuration file anew, all of it or nothing, and prints what changed.",
    discussion: "A file that is wrong changes nothing: its errors are printed as file:line:column, and the exit code is 78.")

  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    let answer: JSON
    do throws(ControlFailure) {
      answer = try session.ask(APIRequest(.post, "reload", body: .object([])))
    } catch {
      // Which file it is, the edge says elsewhere.
      guard case .badConfiguration = error else { throw error }
      let file = (try? session.ask(APIRequest(.get, "status")))?["config"]?["file"]?.stringValue
      throw error.inFile(file)
    }
    session.show(answer) { ConfigurationDiff($0).text(painter: session.painter) }
    let waiting = answer["needs_restart"]?.arrayValue?.compactMap(\.stringValue) ?? []
    if !waiting.isEmpty {
      Session.note("These wait for a restart: \(TerminalText.safe(waiting.joined(separator: ", "), maxWidth: 1_000)).")
    }
  }
}

/// `sluicectl config`.
struct ConfigCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Prints the configuration in force, without its secrets: as YAML, or with -o json as JSON.")

  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    guard session.output == .table else { return session.show(try session.ask(APIRequest(.get, "config"))) { _ in "" } }
    var request = APIRequest(.get, "config")
    request.accept = "application/yaml"
    let text = String(decoding: try session.client.ask(request), as: UTF8.self)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      StandardStreams.writeOutput(TerminalText.safe(String(line), maxWidth: .max) + "\n")
    }
  }
}

/// `sluicectl validate FILE`.
struct ValidateCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Has the edge judge a configuration file of this machine, and prints what it would change.",
    discussion: "Nothing is applied. `sluice check` judges a file without an edge.")

  @Argument(help: "The file, YAML or JSON.", completion: .file())
  var file: String
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    let answer = try session.ask(APIRequest(.post, "config", "validate", body: ["yaml": .string(try text())]), file: file)
    session.show(answer) { ConfigurationDiff($0).text(painter: session.painter) }
  }

  private func text() throws(ControlFailure) -> String {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try FileSystem.readFile(file, maxBytes: maxConfigurationBytes)
    } catch {
      throw .usage("\(file): \(error).")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .badConfiguration(file: file, [ConfigurationFlaw(message: "not UTF-8")])
    }
    return text
  }
}

private let maxConfigurationBytes = 1 << 20
