public import ArgumentParser
public import ControlCore
import EdgeCore
import EdgeIO

/// Which edge is meant, who asks, and how answers are shown. Every command takes these, before its name or behind it.
struct ControlOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Where the edge's admin plane is: unix:///run/sluice/admin.sock or http://127.0.0.1:9901. Else SLUICECTL_SERVER says it.",
      valueName: "address"))
  var server: ServerAddress?

  @Option(
    help: ArgumentHelp(
      "A file with the token to send. Else SLUICECTL_TOKEN_FILE names it. On the Unix socket root and the edge's user need none.",
      valueName: "file"), completion: .file())
  var tokenFile: String?

  @Option(name: [.short, .long], help: "How answers are shown: a table for people, JSON for scripts.")
  var output = OutputFormat.table

  @Option(help: "When to colour; auto is on a terminal, unless NO_COLOR is set.")
  var color = ColorChoice.auto

  @Option(help: ArgumentHelp("How long to wait for an answer.", valueName: "duration"))
  var timeout = DurationArgument(.seconds(10))

  func validate() throws {
    guard timeout.duration > .zero else { throw ValidationError("--timeout must be longer than nothing") }
  }
}

/// How answers are shown.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case table
  case json
}

extension ColorChoice: ExpressibleByArgument {}

extension ServerAddress: ExpressibleByArgument {
  /// Reads the option's value.
  public init?(argument: String) {
    self.init(argument)
  }
}

/// A duration on the command line: `0s`, `30s`, `10m`, `1h`.
struct DurationArgument: ExpressibleByArgument {
  let duration: Duration

  init(_ duration: Duration) {
    self.duration = duration
  }

  init?(argument: String) {
    guard let duration = Quantity.duration(argument) else { return nil }
    self.duration = duration
  }

  var defaultValueDescription: String { Quantity.text(duration) }

  /// In seconds, for the API.
  var seconds: JSON { .wholeOrNot(duration.inSeconds) }
}

/// So many a second: `5/s`, `300/m`.
struct RateArgument: ExpressibleByArgument {
  let perSecond: Int64

  init?(argument: String) {
    guard let perSecond = Quantity.perSecond(argument, count: Quantity.integer) else { return nil }
    self.perSecond = perSecond
  }
}

/// So many bytes a second: `64KiB/s`.
struct ByteRateArgument: ExpressibleByArgument {
  let perSecond: Int64

  init?(argument: String) {
    guard let perSecond = Quantity.perSecond(argument, count: Quantity.size) else { return nil }
    self.perSecond = perSecond
  }
}

/// A connection's name: sixteen hexadecimal digits.
struct ConnectionArgument: ExpressibleByArgument {
  let id: ConnectionID

  init?(argument: String) {
    guard let id = ConnectionID(argument) else { return nil }
    self.id = id
  }
}

/// An address or a block of them: `192.0.2.7`, `192.0.2.0/24`.
struct AddressArgument: ExpressibleByArgument {
  let block: CIDR

  init?(argument: String) {
    guard let block = CIDR(argument) else { return nil }
    self.block = block
  }

  /// Whether it is one address.
  var isSingle: Bool { block.prefixBits == (block.network.isIPv4 ? 32 : 128) }

  /// The address alone where it is one, else the block.
  var text: String { isSingle ? block.network.description : block.description }
}
