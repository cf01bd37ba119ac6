import EdgeIO

/// The HTTP/2 connections of a reactor on which streams have something to send: what they say in a turn goes out together at its end.
///
/// Ten streams that are answered in a turn cost one record of TLS and one send, instead of ten (`scripts/bench --parts h2`).
final class TurnOutput: EventSource {
  private let reactor: Reactor
  private var sessions: [ClientSession] = []
  /// Those of the turn that ends, while it does; empty in between, with its room.
  private var ending: [ClientSession] = []

  /// Begins to be served.
  init(_ reactor: Reactor) {
    self.reactor = reactor
    super.init()
    reactor.add(self)
  }

  /// A session has something to send; it says so once in a turn.
  func add(_ session: ClientSession) {
    sessions.append(session)
    reactor.runLater(self)
  }

  override func turn() {
    swap(&sessions, &ending)
    for session in ending { session.turnEnded() }
    ending.removeAll(keepingCapacity: true)
  }
}
