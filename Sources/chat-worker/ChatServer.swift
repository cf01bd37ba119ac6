import ChatCore
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS
import EdgeWebSocket

/// The worker as a whole: clients on one side, the broker on the other, the chat service between them. One thread.
final class ChatServer: EventSource {
  let reactor: Reactor
  let site: Site
  let log: WorkerLog
  /// Where every connection receives into, since none keeps bytes here beyond its turn.
  var inlet = Inlet(capacity: 16 * 1024)
  private(set) var isDraining = false
  private let allowsAnonymous: Bool
  private var service: ChatService
  private var broker: EmbeddedBroker?
  private var connections: [MemberID: ClientConnection] = [:]
  private var lastConnection: UInt64 = 0

  init(reactor: Reactor, node: NodeID, limits: ChatLimits, site: Site, allowsAnonymous: Bool, log: WorkerLog) {
    self.reactor = reactor
    self.site = site
    self.log = log
    self.allowsAnonymous = allowsAnonymous
    service = ChatService(node: node, limits: limits)
    super.init()
  }

  /// Begins to serve, with a broker that is not started yet.
  func start(broker: EmbeddedBroker) {
    self.broker = broker
    reactor.add(self)
    timerFired()
  }

  /// Stops serving clients: members get Close 1012.
  func drain() {
    isDraining = true
    for connection in connections.values { connection.drain() }
  }

  /// What was counted since the start, for the log.
  var counts: [JSON.Member] {
    let counters = service.counters
    return [
      .init(name: "published", value: .integer(Int64(clamping: counters.published))),
      .init(name: "duplicates", value: .integer(Int64(clamping: counters.duplicates))),
      .init(name: "malformed", value: .integer(Int64(clamping: counters.malformed))),
    ]
  }

  /// Whether every client is gone.
  var isEmpty: Bool { connections.isEmpty }

  override func timerFired() {
    reactor.setTimer(self, at: reactor.now + ChatService.tickInterval)
    perform(service.tick(now: reactor.now))
  }

  private func perform(_ actions: [ChatAction]) {
    for action in actions {
      switch action {
      case .send(let payload, let receivers):
        var frame: [UInt8] = []
        FrameWriter.appendMessage(.text, payload.span, into: &frame)
        for member in receivers { connections[member]?.send(frame: frame) }
      case .submit(let command):
        broker?.submit(command)
      }
    }
  }
}

// What connections tell.
extension ChatServer {
  /// Serves a client that the listener accepted.
  func accepted(_ socket: consuming Socket) {
    lastConnection += 1
    let connection = ClientConnection(socket, id: MemberID(rawValue: lastConnection), server: self)
    do {
      try connection.start()
      connections[connection.id] = connection
    } catch {
      log.write("accept_failed", [.init(name: "error.type", value: .string(error.description))])
    }
  }

  /// Who an upgrade speaks for: the edge's word, given exactly once; nil when there is none.
  func user(of request: RequestHead) -> UserName? {
    let names = request.fields.all(identityField)
    if names.isEmpty, allowsAnonymous { return UserName("guest-\(lastConnection)") }
    return names.count == 1 ? UserName(percentEncoded: names[0]) : nil
  }

  func joined(_ connection: ClientConnection, user: UserName) {
    perform(service.connected(connection.id, user: user))
  }

  func received(_ payload: [UInt8], from member: MemberID) {
    perform(service.received(payload.span, from: member, now: reactor.now))
  }

  func receivedBinary(from member: MemberID) {
    perform(service.receivedBinary(from: member))
  }

  func left(_ connection: ClientConnection) {
    perform(service.disconnected(connection.id))
  }

  func ended(_ connection: ClientConnection) {
    perform(service.disconnected(connection.id))
    connections[connection.id] = nil
  }
}

extension ChatServer: BrokerListener {
  /// The rooms as this process knows them: what it leads with, should it have to.
  var rooms: RoomTable { service.table }

  func brokerDelivered(_ event: BrokerEvent) {
    perform(service.received(event, now: reactor.now))
  }

  func brokerDisconnected() {
    service.brokerDisconnected()
  }
}

/// Set by the edge from the verified token; the edge strips it from what clients send.
private let identityField = "X-Sluice-User"
