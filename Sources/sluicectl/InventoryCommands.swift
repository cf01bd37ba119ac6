import ArgumentParser
import ControlCore

/// `sluicectl routes`.
struct RoutesCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "routes", abstract: "Lists the routes: what they match, where they lead, what they carry and refuse.")

  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.show(try session.ask(APIRequest(.get, "routes")), table: Listing.routes)
  }
}

/// `sluicectl certs`.
struct CertificatesCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "certs", abstract: "Lists the certificates in use, with the days they have left.")

  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.show(try session.ask(APIRequest(.get, "certs")), table: Listing.certificates)
  }
}

/// `sluicectl keys`.
struct KeysCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Lists the keys that tokens are checked with: where from, how old. Never the keys themselves.")

  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.show(try session.ask(APIRequest(.get, "keys")), table: Listing.keys)
  }
}
