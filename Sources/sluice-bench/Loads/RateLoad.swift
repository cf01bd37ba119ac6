import ArgumentParser
import EdgeCore
import EdgeIO

/// `sluice-bench rate`: an open loop.
struct RateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rate",
    abstract: "Sends messages at a fixed rate over all WebSockets, and says how long their echoes take.",
    discussion: """
      An open loop: each latency counts from the moment that the message was meant to be sent, whether or not the echoes before it \
      have come, so that it is what a user would wait. Where the rate could not be kept, rate_kept is false.
      """)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Messages") var message: MessageOptions
  @OptionGroup(title: "Output") var format: ReportFormat

  @Option(help: "How many messages a second, over all WebSockets.")
  var rate = 10_000

  @Option(help: "How many WebSockets.")
  var connections = 100

  @Option(help: "How long to measure.")
  var seconds = 5

  @Option(help: "How many seconds go first, unmeasured.")
  var warmUp = 1

  func validate() throws {
    guard (1...1_000_000).contains(rate) else { throw ValidationError("--rate must be 1 to 1000000") }
    guard (1...20_000).contains(connections) else { throw ValidationError("--connections must be 1 to 20000") }
    guard (1...600).contains(seconds), (0...60).contains(warmUp) else {
      throw ValidationError("--seconds must be 1 to 600, --warm-up 0 to 60")
    }
  }

  func run() throws {
    try sluice_bench.run(RateLoad(self), as: format)
  }
}

/// Sends at a fixed rate, on one WebSocket after the other.
final class RateLoad: Load {
  let book: MessageBook
  private let options: RateCommand
  private var timer: PreciseTimer?
  private var members: [RateClient] = []
  private var schedule = Schedule(began: .distantFuture, perSecond: 1)
  private var sentCount = 0
  private var echoedCount = 0
  private var measured = Measurement()
  /// How late this program itself sent.
  private var delays = Latencies()
  private var meter = RateMeter()

  init(_ options: RateCommand) throws {
    self.options = options
    book = options.message.book
    try super.init(options.target)
    timer = try PreciseTimer { [unowned self] in sendDue() }
    try timer?.attach(to: reactor)
  }

  override func start() {
    open(options.connections)
  }

  override func makeClient(_ index: Int) -> Client {
    let member = RateClient(index: index, load: self)
    members.append(member)
    return member
  }

  override func allOpened() {
    schedule = Schedule(began: MonotonicClock.now() + .milliseconds(10), perSecond: options.rate)
    timer?.set(at: schedule.began)
  }

  /// A message has come back whole and unchanged.
  func echoed(_ number: Int) {
    echoedCount += 1
    if number >= warmUpCount { measured.latencies.record(MonotonicClock.now() - schedule.moment(of: number)) }
    if echoedCount == totalCount { end() }
  }

  /// The message that a client gets back next, when it has got `count` of its own.
  func number(of client: RateClient, after count: Int) -> Int {
    client.index + count * options.connections
  }

  override func tick() -> String {
    "\(openedCount) open, \(echoedCount) echoes, \(meter.perSecond(echoedCount, now: reactor.now))/s, \(sentCount - echoedCount) under way"
  }

  override func report() -> Report {
    var report = report(of: openedCount, "connections", saying: book)
    report.add("rate", options.rate)
    report.add("rate_kept", measured.perSecond >= leastShare * Double(options.rate))
    report.add("send_delay", delays)
    measured.add(to: &report, unit: "message", units: "messages")
    return report
  }

  private var warmUpCount: Int { options.warmUp * options.rate }
  private var totalCount: Int { warmUpCount + options.seconds * options.rate }

  private func sendDue() {
    while sentCount < totalCount {
      let moment = schedule.moment(of: sentCount)
      let now = MonotonicClock.now()
      guard moment <= now else {
        timer?.set(at: moment)
        return
      }
      if sentCount == warmUpCount { measured.begin(self, at: moment) }
      if sentCount >= warmUpCount { delays.record(now - moment) }
      members[sentCount % options.connections].send(message: sentCount)
      sentCount += 1
    }
  }

  private func end() {
    measured.end(self)
    if measured.perSecond < leastShare * Double(options.rate) {
      StandardStreams.writeError(
        "sluice-bench: the rate was not kept: \(Int(measured.perSecond)) of \(options.rate) messages a second\n")
    }
    for member in members { member.close() }
    finish()
  }
}

/// A client that does not wait for echoes. They come in the order of the messages, each a round after the one before.
final class RateClient: Client {
  private unowned let rates: RateLoad
  private var echoedCount = 0
  private var check = MessageCheck()

  init(index: Int, load: RateLoad) {
    rates = load
    super.init(index: index, load: load)
  }

  func send(message number: Int) {
    send(rates.book.frame(UInt64(number), maskKey: nextMask()).span)
  }

  override func received(_ bytes: Span<UInt8>, endsMessage: Bool) {
    let number = rates.number(of: self, after: echoedCount)
    do throws(LoadFailure) {
      guard try check.receive(bytes, endsMessage: endsMessage, of: UInt64(number), in: rates.book) else { return }
      echoedCount += 1
      rates.echoed(number)
    } catch {
      fail(error)
    }
  }
}

/// A rate counts as kept when this share of it came back in the time that it should have.
private let leastShare = 0.99
