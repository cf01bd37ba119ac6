import ArgumentParser
import EdgeCore
import EdgeIO
import EdgeServer

/// `sluice version`.
struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

  @Flag(help: "Print it as JSON.")
  var json = false

  func run() {
    let version = EdgeVersion.current
    guard json else { return StandardStreams.writeOutput("sluice \(version.number) (\(EdgeVersion.tlsLibrary))\n") }
    let object: JSON = ["version": .string(version.number), "tls_library": .string(EdgeVersion.tlsLibrary)]
    StandardStreams.writeOutput(String(decoding: object.encoded(), as: UTF8.self) + "\n")
  }
}

extension EdgeVersion {
  /// This release.
  static let current = EdgeVersion(number: "0.1.0")
}
