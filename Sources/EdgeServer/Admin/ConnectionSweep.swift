import EdgeIO

/// Goes through the WebSockets of a reactor, so many in a turn that messages hardly wait for it.
///
/// One that opens meanwhile is not met, one that ends before its turn comes neither.
final class ConnectionSweep: EventSource {
  private let reactor: Reactor
  private var rest: ArraySlice<Client>
  private let visit: (Client, Tunnel) -> Void
  private let finish: () -> Void

  private init(_ context: ReactorContext, visit: @escaping (Client, Tunnel) -> Void, finish: @escaping () -> Void) {
    reactor = context.reactor
    rest = Array(context.connections.values)[...]
    self.visit = visit
    self.finish = finish
  }

  /// Calls `visit` for each WebSocket, then `finish`. The first share is met at once.
  static func begin(_ context: ReactorContext, visit: @escaping (Client, Tunnel) -> Void, finish: @escaping () -> Void) {
    let sweep = ConnectionSweep(context, visit: visit, finish: finish)
    context.reactor.add(sweep)
    sweep.turn()
  }

  override func turn() {
    for client in rest.prefix(Self.share) {
      if let tunnel = client.tunnel { visit(client, tunnel) }
    }
    rest = rest.dropFirst(Self.share)
    guard rest.isEmpty else { return reactor.runLater(self) }
    reactor.remove(self)
    finish()
  }

  /// How many connections a turn looks at.
  static let share = 250
}
