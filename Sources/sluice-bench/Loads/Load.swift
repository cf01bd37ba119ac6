import EdgeCore
import EdgeIO
import EdgeTLS

/// One run: opens WebSockets, a few at a time, and ends by itself. Subclass it for what happens on them.
class Load: EventSource {
  final let context: LoadContext
  final let reactor: Reactor
  /// How many WebSockets have been opened, whether or not they are still open.
  private(set) final var openedCount = 0
  private let openAtOnce: Int
  private let giveUpAfter: Duration
  private let serverPID: Int32?
  private var clientsToOpen = 0
  private var begunCount = 0
  private var carrierCount = 0
  private var tlsInfo: TLSInfo?
  /// The connection of HTTP/2 that takes the next clients.
  private var filling: StreamCarrier?
  private var deadline = Instant.distantFuture
  private var failure: LoadFailure?
  private var progress = ProgressLine()

  init(_ options: TargetOptions) throws {
    context = try LoadContext(options.makeTarget())
    reactor = context.reactor
    openAtOnce = options.openAtOnce
    giveUpAfter = .seconds(options.giveUpAfter)
    serverPID = options.serverPid
    super.init()
  }

  /// Runs to the end.
  ///
  /// - Throws: what went wrong first; the run ended there.
  final func run() throws(LoadFailure) {
    reactor.add(self)
    deadline = reactor.now + giveUpAfter
    reactor.setTimer(self, at: reactor.now + tickInterval)
    start()
    reactor.run()
    progress.clear()
    if let failure { throw failure }
  }

  // MARK: For subclasses

  /// Called once, at the beginning: say there how many WebSockets to open.
  func start() {}

  /// Makes the next client.
  func makeClient(_ index: Int) -> Client { Client(index: index, load: self) }

  /// Called when all WebSockets that were asked for have been opened.
  func allOpened() {}

  /// Called ten times a second.
  ///
  /// - Returns: what the progress line says.
  func tick() -> String { "" }

  /// What the run came to.
  func report() -> Report { Report() }

  /// Opens WebSockets.
  final func open(_ count: Int) {
    clientsToOpen += count
    openMore()
  }

  /// Ends the run.
  final func finish() {
    reactor.stop()
  }

  /// What the first connection's TLS agreed on.
  final var tlsName: String { tlsInfo.map { "\($0.version.rawValue) \($0.cipher)" } ?? "none" }

  /// How a report on messages begins: between how many `clients` they go, by what, and how large.
  final func report(of count: Int, _ clients: String, saying book: MessageBook) -> Report {
    var report = Report()
    report.add(clients, count)
    report.add("protocol", context.target.protocolName)
    report.add("tls", tlsName)
    report.add("message_bytes", book.pattern.size)
    return report
  }

  /// What the proxy has used so far; nil when its process was not named.
  final func serverFigures() -> ServerFigures? {
    guard let serverPID else { return nil }
    do throws(LoadFailure) {
      return try ServerFigures(process: serverPID)
    } catch {
      fail(error)
      return nil
    }
  }

  // MARK: For clients and what carries them

  /// A WebSocket is open.
  final func opened(_ client: Client) {
    openedCount += 1
    if openedCount == 1 { tlsInfo = client.tlsInfo }
    openMore()
    if openedCount == clientsToOpen { allOpened() }
  }

  /// Something went wrong: the run ends, and says what.
  final func fail(_ failure: LoadFailure) {
    if self.failure == nil { self.failure = failure }
    reactor.stop()
  }

  final override func timerFired() {
    guard reactor.now < deadline else { return fail(.timeout) }
    progress.show(tick())
    reactor.setTimer(self, at: reactor.now + tickInterval)
  }

  private func openMore() {
    while failure == nil, begunCount < clientsToOpen, begunCount - openedCount < openAtOnce {
      begunCount += 1
      do throws(LoadFailure) {
        try carry(makeClient(begunCount - 1))
      } catch {
        fail(error)
      }
    }
  }

  private func carry(_ client: Client) throws(LoadFailure) {
    guard let room = context.target.streamsPerConnection else {
      _ = try UpgradeCarrier(client, load: self)
      return
    }
    if let filling, filling.hasRoom { return filling.carry(client) }
    let carrier = try StreamCarrier(index: carrierCount, room: room, load: self)
    carrierCount += 1
    filling = carrier
    carrier.carry(client)
  }
}

/// One line on the terminal that is written over.
private struct ProgressLine {
  private var isShown = false

  mutating func show(_ text: String) {
    guard Terminal.isTerminal(.error), !text.isEmpty else { return }
    isShown = true
    StandardStreams.writeError("\r\u{1B}[K\(text)")
  }

  mutating func clear() {
    guard isShown else { return }
    isShown = false
    StandardStreams.writeError("\r\u{1B}[K")
  }
}

private let tickInterval = Duration.milliseconds(100)
