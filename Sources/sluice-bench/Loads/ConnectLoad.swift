import ArgumentParser
import EdgeCore
import EdgeIO
import EdgeTLS

/// `sluice-bench connect`: handshakes.
struct ConnectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect",
    abstract: "Opens WebSockets, each on a connection of its own, and closes each as soon as its answer was checked.")

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Output") var format: ReportFormat

  @Option(help: "How many connections to measure.")
  var count = 1000

  @Option(help: "How many connections go first, unmeasured.")
  var warmUp = 100

  @Flag(help: "Resume the TLS session of the first connection, instead of a full handshake each time.")
  var resume = false

  func validate() throws {
    guard (1...1_000_000).contains(count), (0...1_000_000).contains(warmUp) else {
      throw ValidationError("--count and --warm-up must be at most 1000000")
    }
  }

  func run() throws {
    try sluice_bench.run(ConnectLoad(self), as: format)
  }
}

/// Opens and closes WebSockets.
final class ConnectLoad: Load {
  private let options: ConnectCommand
  private var stage = Stage.warmingUp
  private var began = Instant(nanoseconds: 0)
  private var seconds = 0.0
  private var serverBefore: ServerFigures?
  private var serverAfter: ServerFigures?
  private var closedCount = 0
  private var resumedCount = 0
  private var latencies = Latencies()

  init(_ options: ConnectCommand) throws {
    self.options = options
    try super.init(options.target)
  }

  override func start() {
    // One first, whose TLS session the others resume.
    open(max(1, options.warmUp))
  }

  override func makeClient(_ index: Int) -> Client {
    ConnectClient(index: index, load: self, began: MonotonicClock.now())
  }

  /// A WebSocket was opened, and is about to be closed.
  func completed(_ client: ConnectClient, after latency: Duration) {
    closedCount += 1
    if options.resume, context.ticket == nil { context.ticket = client.ticket() }
    guard stage == .measuring else { return }
    latencies.record(latency)
    if client.tlsInfo?.isResumed == true { resumedCount += 1 }
  }

  override func allOpened() {
    // The proxy has yet to see the last ones off; that is part of their price.
    stage = stage == .warmingUp ? .warmedUp(at: reactor.now) : .measured(at: reactor.now)
  }

  override func tick() -> String {
    switch stage {
    case .warmedUp(let time) where reactor.now >= time + settleTime:
      stage = .measuring
      serverBefore = serverFigures()
      began = MonotonicClock.now()
      open(options.count)
    case .measured(let time) where reactor.now >= time + settleTime:
      serverAfter = serverFigures()
      finish()
    case .measured(let time): seconds = (time - began).inSeconds
    case .warmingUp, .warmedUp, .measuring: break
    }
    return "\(closedCount) handshakes"
  }

  override func report() -> Report {
    var report = Report()
    report.add("handshakes", latencies.count)
    report.add("resumed", resumedCount)
    report.add("seconds", seconds)
    report.add("handshakes_per_second", Double(latencies.count) / seconds)
    report.add("latency", latencies)
    if let serverBefore, let serverAfter {
      report.add("server_cpu_us_per_handshake", (serverAfter.cpu - serverBefore.cpu).inSeconds * 1e6 / Double(latencies.count))
    }
    return report
  }
}

private enum Stage: Equatable {
  case warmingUp
  case warmedUp(at: Instant)
  case measuring
  case measured(at: Instant)
}

/// A client that goes as soon as it may come.
final class ConnectClient: Client {
  private unowned let connects: ConnectLoad
  private let began: Instant

  init(index: Int, load: ConnectLoad, began: Instant) {
    connects = load
    self.began = began
    super.init(index: index, load: load)
  }

  override func opened() {
    connects.completed(self, after: MonotonicClock.now() - began)
    close()
  }
}

/// Long enough for the proxy to see the last connections off.
private let settleTime = Duration.milliseconds(300)
