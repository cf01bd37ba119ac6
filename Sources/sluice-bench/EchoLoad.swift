import ArgumentParser
import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeWebSocket

/// `sluice-bench echo`: a closed loop.
struct EchoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "echo",
    abstract: "Sends a message on each connection, and the next one when its echo has come.",
    discussion: """
      A closed loop: it measures what a message costs the proxy, which runs at its limit, and not what a user would wait.
      """)

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Output") var format: ReportFormat

  @Option(help: "How many connections.")
  var connections = 100

  @Option(help: "The size of a message in bytes.")
  var size = 128

  @Option(help: "How many messages to measure, over all connections; otherwise --seconds counts.")
  var messages: Int?

  @Option(help: "How long to measure.")
  var seconds = 5

  @Option(help: "How many messages go first, unmeasured.")
  var warmUp = 10_000

  @Flag(help: "Binary messages instead of text.")
  var binary = false

  func validate() throws {
    guard (1...20_000).contains(connections) else { throw ValidationError("--connections must be 1 to 20000") }
    guard (1...(1 << 24)).contains(size) else { throw ValidationError("--size must be 1 to 16777216") }
    guard (1...600).contains(seconds) else { throw ValidationError("--seconds must be 1 to 600") }
    guard (messages ?? 1) > 0, (messages ?? 1) <= 1_000_000_000, (0...1_000_000_000).contains(warmUp) else {
      throw ValidationError("--messages and --warm-up must be at most 1000000000")
    }
  }

  func run() throws {
    try sluice_bench.run(EchoLoad(self), as: format)
  }
}

/// Echoes on many connections.
final class EchoLoad: Load {
  let kind: MessageKind
  let pattern: EchoPattern
  private let options: EchoCommand
  private var members: [EchoConnection] = []
  private var stage: Stage
  private var sentCount: UInt64 = 0
  private var measured = Measurement()
  private var lastTick = (time: Instant(nanoseconds: 0), count: 0)

  init(_ options: EchoCommand) throws {
    self.options = options
    kind = options.binary ? .binary : .text
    pattern = EchoPattern(size: options.size)
    stage = options.warmUp > 0 ? .warmingUp(left: options.warmUp) : .measuring
    try super.init(options.target)
  }

  override func start() {
    open(options.connections)
  }

  override func makeConnection(_ index: Int) throws(LoadFailure) {
    members.append(try EchoConnection(index: index, load: self))
  }

  override func allOpened() {
    if case .measuring = stage { beginMeasuring() }
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
      beginMeasuring()
    case .warmingUp(let left): stage = .warmingUp(left: left - 1)
    case .measuring:
      measured.latencies.record(latency)
      if isEnough { end() }
    case .over: break
    }
  }

  override func tick() -> String {
    let count = measured.latencies.count
    let rate = Double(count - lastTick.count) / (reactor.now - lastTick.time).inSeconds
    lastTick = (reactor.now, count)
    return "\(openedCount) open, \(count) echoes, \(Int(rate.isFinite ? rate : 0))/s"
  }

  override func report() -> Report {
    var report = Report()
    let seconds = (measured.ended - measured.began).inSeconds
    let count = Double(measured.latencies.count)
    report.add("connections", openedCount)
    report.add("tls", members.first?.tlsInfo.map { "\($0.version.rawValue) \($0.cipher)" } ?? "none")
    report.add("message_bytes", pattern.size)
    report.add("messages", measured.latencies.count)
    report.add("seconds", seconds)
    report.add("messages_per_second", count / seconds)
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
      report.add("latency_\(name)_us", measured.latencies.quantile(share).inSeconds * 1e6)
    }
    if let before = measured.serverBefore, let after = measured.serverAfter {
      let cost = after.cpu - before.cpu
      report.add("server_cpu_us_per_message", cost.inSeconds * 1e6 / count)
      report.add("server_user_share", (after.userSeconds - before.userSeconds) / cost.inSeconds)
      report.add("server_busy", cost.inSeconds / seconds)
    }
    return report
  }

  private var isEnough: Bool {
    if let messages = options.messages { return measured.latencies.count >= messages }
    return MonotonicClock.now() >= measured.began + .seconds(options.seconds)
  }

  private func beginMeasuring() {
    measured.serverBefore = serverFigures()
    measured.began = MonotonicClock.now()
  }

  private func end() {
    stage = .over
    measured.ended = MonotonicClock.now()
    measured.serverAfter = serverFigures()
    for member in members { member.close() }
    finish()
  }
}

/// What is known of the measured part of a run.
private struct Measurement {
  var latencies = LatencyHistogram()
  var began = Instant(nanoseconds: 0)
  var ended = Instant(nanoseconds: 0)
  var serverBefore: ServerFigures?
  var serverAfter: ServerFigures?
}

private enum Stage {
  case warmingUp(left: Int)
  case measuring
  case over
}

/// A connection with at most one message under way.
final class EchoConnection: Connection {
  private unowned let echoes: EchoLoad
  private var number: UInt64 = 0
  private var receivedBytes = 0
  private var sent = Instant(nanoseconds: 0)

  init(index: Int, load: EchoLoad) throws(LoadFailure) {
    echoes = load
    try super.init(index: index, load: load)
  }

  /// Sends a message, if one is left to send.
  func sendNext() {
    guard let next = echoes.nextMessage() else { return }
    number = next
    receivedBytes = 0
    var frame: [UInt8] = []
    frame.reserveCapacity(echoes.pattern.size + 14)
    FrameWriter.appendMessage(echoes.kind, echoes.pattern.message(next).span, maskKey: nextMask(), into: &frame)
    sent = MonotonicClock.now()
    send(frame.span)
  }

  override func received(_ bytes: Span<UInt8>, endsMessage: Bool) {
    if let place = echoes.pattern.mismatch(in: bytes, at: receivedBytes, of: number) {
      return fail(.webSocket("the echo differs from what was sent at byte \(place)"))
    }
    receivedBytes += bytes.count
    guard endsMessage else { return }
    guard receivedBytes == echoes.pattern.size else { return fail(.webSocket("the echo is too short")) }
    echoes.echoed(after: MonotonicClock.now() - sent)
    sendNext()
  }
}
