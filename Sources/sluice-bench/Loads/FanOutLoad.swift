import ArgumentParser
import EdgeCore
import EdgeIO

/// `sluice-bench fan-out`: one speaks, many hear.
struct FanOutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fan-out",
    abstract: "One WebSocket sends messages that the worker gives to all others, each once the one before has come everywhere.",
    discussion: "It needs a worker that broadcasts, such as 'sluice-bench worker --broadcast', which nobody else uses meanwhile.")

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Messages") var message: MessageOptions
  @OptionGroup(title: "Output") var format: ReportFormat

  @Option(help: "How many WebSockets hear.")
  var receivers = 1000

  @Option(help: "How many messages to send and measure; otherwise --seconds counts.")
  var messages: Int?

  @Option(help: "How long to measure.")
  var seconds = 5

  @Option(help: "How many messages go first, unmeasured.")
  var warmUp = 10

  func validate() throws {
    guard (1...20_000).contains(receivers) else { throw ValidationError("--receivers must be 1 to 20000") }
    guard (1...600).contains(seconds) else { throw ValidationError("--seconds must be 1 to 600") }
    guard (messages ?? 1) > 0, (messages ?? 1) <= 1_000_000, (0...1_000_000).contains(warmUp) else {
      throw ValidationError("--messages and --warm-up must be at most 1000000")
    }
  }

  func run() throws {
    try sluice_bench.run(FanOutLoad(self), as: format)
  }
}

/// Sends on the first WebSocket, and waits on all others.
final class FanOutLoad: Load {
  let book: MessageBook
  private let options: FanOutCommand
  private var members: [FanOutClient] = []
  private var number: UInt64 = 0
  /// How many have yet to hear the message.
  private var missing = 0
  private var sent = Instant(nanoseconds: 0)
  private var measured = Measurement()
  private var meter = RateMeter()

  init(_ options: FanOutCommand) throws {
    self.options = options
    book = options.message.book
    try super.init(options.target)
  }

  override func start() {
    open(options.receivers + 1)
  }

  override func makeClient(_ index: Int) -> Client {
    let member = FanOutClient(index: index, load: self)
    members.append(member)
    return member
  }

  override func allOpened() {
    sendNext()
  }

  /// A message has come to one of them, whole and unchanged.
  func delivered() {
    if isMeasuring { measured.latencies.record(MonotonicClock.now() - sent) }
    missing -= 1
    guard missing == 0 else { return }
    if isEnough { end() } else { sendNext() }
  }

  override func tick() -> String {
    "\(openedCount) open, \(number) messages, \(meter.perSecond(measured.count, now: reactor.now)) deliveries/s"
  }

  override func report() -> Report {
    var report = report(of: openedCount - 1, "receivers", saying: book)
    report.add("messages", Int(number) - options.warmUp)
    measured.add(to: &report, unit: "delivery", units: "deliveries")
    return report
  }

  private var isMeasuring: Bool { number > UInt64(options.warmUp) }

  private var isEnough: Bool {
    guard isMeasuring else { return false }
    if let messages = options.messages { return number == UInt64(options.warmUp + messages) }
    return MonotonicClock.now() >= measured.began + .seconds(options.seconds)
  }

  private func sendNext() {
    number += 1
    missing = options.receivers
    for member in members { member.expects = number }
    if number == UInt64(options.warmUp + 1) { measured.begin(self) }
    sent = MonotonicClock.now()
    members[0].sayMessage(number)
  }

  private func end() {
    measured.end(self)
    for member in members { member.close() }
    finish()
  }
}

/// One that hears; the first speaks instead.
final class FanOutClient: Client {
  /// The message that it has yet to hear.
  var expects: UInt64?
  private unowned let fanOut: FanOutLoad
  private var check = MessageCheck()

  init(index: Int, load: FanOutLoad) {
    fanOut = load
    super.init(index: index, load: load)
  }

  func sayMessage(_ number: UInt64) {
    expects = nil
    send(fanOut.book.frame(number, maskKey: nextMask()).span)
  }

  override func received(_ bytes: Span<UInt8>, endsMessage: Bool) {
    guard let number = expects else { return fail(.webSocket("a message came that nobody sent")) }
    do throws(LoadFailure) {
      guard try check.receive(bytes, endsMessage: endsMessage, of: number, in: fanOut.book) else { return }
      expects = nil
      fanOut.delivered()
    } catch {
      fail(error)
    }
  }
}
