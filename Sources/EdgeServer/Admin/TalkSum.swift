import EdgeAdmin
import EdgeAuth
import EdgeCore

/// How many messages each client of a reactor had sent at some moment.
struct TalkLook {
  let at: Instant
  var messages: [ConnectionID: UInt64] = [:]
}

/// The last looks at who talks, which the next is compared with. There are none where nobody asks.
struct TalkHistory {
  private var latest: TalkLook?
  private var earlier: TalkLook?

  /// What a look at `now` is compared with: not so old that it says nothing of now, nor so young that it says nothing at all.
  func base(now: Instant) -> TalkLook? {
    [latest, earlier].compactMap { $0 }.first { now - $0.at >= Self.shortest && now - $0.at <= Self.longest }
  }

  /// Keeps a look, unless one has just been kept: two who ask at the same time see the same.
  mutating func keep(_ look: TalkLook) {
    if let latest, look.at - latest.at < Self.shortest { return }
    earlier = latest
    latest = look
  }

  private static let shortest = Duration.seconds(1)
  private static let longest = Duration.seconds(60)
}

/// What a reactor's connections amount to, by address or by user.
struct TalkSum {
  private let subject: TopQuery.Subject
  private let base: TalkLook?
  private var byAddress: [IPAddress: Talker] = [:]
  private var byUser: [String: Talker] = [:]
  private(set) var look: TalkLook

  init(_ subject: TopQuery.Subject, since base: TalkLook?, now: Instant) {
    self.subject = subject
    self.base = base
    look = TalkLook(at: now)
  }

  /// The time over which `recent` is counted.
  var window: Duration? { base.map { look.at - $0.at } }

  mutating func add(_ connection: OpenConnection) {
    var talker = Talker()
    talker.connections = 1
    talker.received = connection.received
    talker.sent = connection.sent
    talker.throttled = connection.isThrottled ? 1 : 0
    if let base { talker.recent = talker.received.messages &- (base.messages[connection.id] ?? 0) }
    look.messages[connection.id] = talker.received.messages
    switch subject {
    case .ip: if let address = connection.clientAddress { byAddress[address, default: Talker()].add(talker) }
    case .user: if let user = connection.user { byUser[user, default: Talker()].add(talker) }
    }
  }

  /// The same by text, added to what other reactors have.
  func add(to talkers: inout [String: Talker]) {
    for (address, talker) in byAddress { talkers[address.description, default: Talker()].add(talker) }
    for (user, talker) in byUser { talkers[user, default: Talker()].add(talker) }
  }
}
