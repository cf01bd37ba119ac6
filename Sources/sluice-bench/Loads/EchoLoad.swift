import ArgumentParser
import EdgeCore
import EdgeIO
import EdgeTLS

/// `sluice-bench echo`: a closed loop.
struct EchoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "echo",
    abstract: "Sends a message on each WebSocket, and the next one when its echo has come.",
    discussion: """
      A closed loop: it measures what a message costs the proxy, which runs at its limit, and not what a user would wait.
      """)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Messages") var message: MessageOptions
  @OptionGroup(title: "Output") var format: ReportFormat

  @Option(help: "How many WebSockets.")
  var connections = 100

  @Option(help: "How many messages to measure, over all WebSockets; otherwise --seconds counts.")
  var messages: Int?

  @Option(help: "How long to measure.")
  var seconds = 5

  @Option(help: "How many messages go first, unmeasured.")
  var warmUp = 10_000

  func validate() throws {
    guard (1...20_000).contains(connections) else { throw ValidationError("--connections must be 1 to 20000") }
    guard (1...600).contains(seconds) else { throw ValidationError("--seconds must be 1 to 600") }
    guard (messages ?? 1) > 0, (messages ?? 1) <= 1_000_000_000, (0...1_000_000_000).contains(warmUp) else {
      throw ValidationError("--messages and --warm-up must be at most 1000000000")
    }
  }

  func run() throws {
    try sluice_bench.run(EchoLoad(self), as: format)
  }
}

/// Echoes on many WebSockets.
final class EchoLoad: Load {
  let book: MessageBook
  private let options: EchoCommand
  private var members: [EchoClient] = []
  private var stage: Stage
  private var sentCount: UInt64 = 0
  private var measured = Measurement()
  private var meter = RateMeter()

  init(_ options: EchoCommand) throws {
    self.options = options
    book = options.message.book
    stage = options.warmUp > 0 ? .warmingUp(left: options.warmUp) : .measuring
    try super.init(options.target)
  }

  override func start() {
    open(options.connections)
  }

  override func makeClient(_ index: Int) -> Client {
    let member = EchoClient(index: index, load: self)
    members.append(member)
    return member
  }

  override func allOpened() {
    if case .measuring = stage { measured.begin(self) }
    for member in members { member.sendNext() }
  }

  /// The number of the next message to send; nil when none shall follow.
  func nextMessage() -> UInt64? {
    if case .over = stage { return nil }
    sentCount += 1
    return sentCount
  }

  /// A message has come back whole and unchanged.
  func echoed(after latency: Duration) {
    switch stage {
    case .warmingUp(left: 1):
      stage = .measuring
      measured.begin(self)
    case .warmingUp(let left): stage = .warmingUp(left: left - 1)
    case .measuring:
      measured.latencies.record(latency)
      if isEnough { end() }
    case .over: break
    }
  }

  override func tick() -> String {
    "\(openedCount) open, \(measured.count) echoes, \(meter.perSecond(measured.count, now: reactor.now))/s"
  }

  override func report() -> Report {
    var report = report(of: openedCount, "connections", saying: book)
    measured.add(to: &report, unit: "message", units: "messages")
    return report
  }

  private var isEnough: Bool {
    if let messages = options.messages { return measured.count >= messages }
    return MonotonicClock.now() >= measured.began + .seconds(options.seconds)
  }

  private func end() {
    stage = .over
    measured.end(self)
    for member in members { member.close() }
    finish()
  }
}

private enum Stage {
  case warmingUp(left: Int)
  case measuring
  case over
}

/// A client with at most one message under way.
final class EchoClient: Client {
  private unowned let echoes: EchoLoad
  private var number: UInt64 = 0
  private var check = MessageCheck()
  private var sent = Instant(nanoseconds: 0)

  init(index: Int, load: EchoLoad) {
    echoes = load
    super.init(index: index, load: load)
  }

  /// Sends a message, if one is left to send.
  func sendNext() {
    guard let next = echoes.nextMessage() else { return }
    number = next
    let frame = echoes.book.frame(next, maskKey: nextMask())
    sent = MonotonicClock.now()
    send(frame.span)
  }

  override func received(_ bytes: Span<UInt8>, endsMessage: Bool) {
    do throws(LoadFailure) {
      guard try check.receive(bytes, endsMessage: endsMessage, of: number, in: echoes.book) else { return }
      echoes.echoed(after: MonotonicClock.now() - sent)
      sendNext()
    } catch {
      fail(error)
    }
  }
}
