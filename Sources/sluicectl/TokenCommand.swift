import ArgumentParser
import ControlCore
import EdgeCore
import EdgeIO
import EdgeTLS

/// `sluicectl token`.
struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Makes tokens for the admin plane.", subcommands: [NewTokenCommand.self])
}

/// `sluicectl token new`.
struct NewTokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Makes a token of 256 random bits; no edge is asked.",
    discussion: """
      The token goes to standard output, once; the line that makes it known, a hash, goes to standard error or to the end of a file; \
      with -o json both are one object.       viewer may look, operator may close, throttle, ban and drain, admin may do everything.

      Example:

        umask 077; sluicectl token new --role operator --name ops --append-to /etc/sluice/admin-tokens > ops.token
      """)

  @Option(help: "What its holder may do.")
  var role: Role
  @Option(help: ArgumentHelp("Whom the audit log names: 1 to 64 letters, digits and signs such as - _ .", valueName: "name"))
  var name: String
  @Option(help: ArgumentHelp("The tokens file (admin.tokens_file) to add the line to.", valueName: "file"), completion: .file())
  var appendTo: String?
  @OptionGroup(visibility: .hidden) var options: ControlOptions

  func validate() throws {
    guard MintedToken.isName(name) else {
      throw ValidationError("--name must be 1 to 64 letters, digits and signs such as - _ .")
    }
  }

  func run() throws {
    let minted = MintedToken(
      random: SecureRandom.bytes(count: 32), role: role.rawValue, name: name, sha256: { Digest.sha256($0) })
    if let appendTo { try append(minted.line, to: appendTo) }
    switch options.output {
    case .json:
      let answer: JSON = ["token": .string(minted.token), "line": .string(minted.line)]
      StandardStreams.writeOutput(answer.terminalSafeText + "\n")
    case .table:
      StandardStreams.writeOutput("\(minted.token)\n")
      if appendTo == nil { StandardStreams.writeError("Add this line to the file of admin.tokens_file:\n\(minted.line)\n") }
    }
  }

  /// The token is printed only once its line is in the file.
  private func append(_ line: String, to path: String) throws {
    let bytes = Array("\(line)\n".utf8)
    do {
      let file = try AppendFile(path: path)
      guard case .bytes(bytes.count) = file.write(bytes.span) else {
        throw ExitCode.saying(.failed("\(path) cannot be written."))
      }
    } catch let error as SystemError {
      throw ExitCode.saying(.failed("\(path): \(error)."))
    }
  }
}

/// What a token's holder may do.
enum Role: String, CaseIterable, ExpressibleByArgument {
  case viewer
  case `operator`
  case admin
}
