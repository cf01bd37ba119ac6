import ChatCore
import EdgeCore
import EdgeIO
import EdgeTLS

/// The broker for chat workers on one machine: one of them leads, the others connect to it.
///
/// Whoever holds the lock beside the broker's socket leads: the kernel gives it to one process and takes it back when that
/// process ends. The leader numbers the messages and tells every process; each process keeps a copy of the rooms, so that
/// any of them can lead next.
///
/// What it promises:
/// - All processes see the same changes in the same order, and a message has one number.
/// - The leader gives a change to the kernel for every process that keeps up before its own clients see it, so an acknowledged
///   message outlives the leader. It is lost only if every process that was told of it dies too.
/// - After an orderly stop rooms live on as they are. After a crash they begin a new life: numbers go on, and what a
///   surviving process alone was told is put in again.
/// - A stopped leader (SIGSTOP) holds up all of them: requests are answered with `unavailable` until it goes on or dies.
final class EmbeddedBroker: EventSource, Broker {
  private enum Role {
    /// Nobody leads, or the leader cannot be reached: tries again soon.
    case seeking
    case following(BrokerPeer)
    case leading(Leadership)
  }

  private let path: String
  private let node: NodeID
  private let limits: ChatLimits
  private let reactor: Reactor
  private let log: WorkerLog
  private unowned let server: ChatServer
  private var role = Role.seeking
  private var backoff = Backoff(from: .milliseconds(10), to: .milliseconds(500))
  /// Whether this process's copy of the rooms is surely the last word: nobody led yet, or the leader said farewell.
  private var copyIsCurrent = true

  init(path: String, node: NodeID, limits: ChatLimits, reactor: Reactor, server: ChatServer, log: WorkerLog) {
    self.path = path
    self.node = node
    self.limits = limits
    self.reactor = reactor
    self.server = server
    self.log = log
    super.init()
  }

  /// Looks for the leader, or becomes it.
  func start() {
    reactor.add(self)
    seek()
  }

  /// Takes part no more. A leader says farewell; `isFlushed` tells when that has left the process.
  func stop() {
    switch role {
    case .leading(let leadership): leadership.sayFarewell()
    case .following, .seeking: break
    }
  }

  /// Whether everything that was said is with the kernel.
  var isFlushed: Bool {
    switch role {
    case .leading(let leadership): leadership.isFlushed
    case .following(let leader): leader.isFlushed
    case .seeking: true
    }
  }

  func submit(_ command: BrokerCommand) {
    switch role {
    case .leading(let leadership): leadership.received(command, from: node)
    case .following(let leader): leader.send(BrokerCodec.encoded(command))
    case .seeking: break
    }
  }

  override func timerFired() {
    switch role {
    case .seeking: seek()
    case .following, .leading: break
    }
  }

  private func seek() {
    role = .seeking
    do {
      if let lock = try FileLock.attempt(path: path + ".lock") {
        try lead(lock)
      } else if !follow() {
        seekLater()
      }
    } catch {
      if backoff.isFresh { log.write("broker_unavailable", [.init(name: "error.type", value: .string(error.description))]) }
      seekLater()
    }
  }

  private func seekLater() {
    reactor.setTimer(self, at: reactor.now + backoff.next(random: SecureRandom.word()))
  }

  private func lead(_ lock: consuming FileLock) throws(SystemError) {
    let socket = try Socket.listen(unixPath: path, mode: 0o600)
    let state = BrokerState(
      table: server.rooms, isCurrent: copyIsCurrent, life: SecureRandom.word(), limits: limits, now: reactor.now)
    let leadership = Leadership(lock: lock, state: state, node: node, reactor: reactor, listener: server)
    try leadership.start(on: socket)
    role = .leading(leadership)
    backoff.reset()
    log.write("broker_leading", [.init(name: "rooms_kept", value: .bool(copyIsCurrent))])
    leadership.received(.hello(node: node), from: node)
  }

  /// Connects to the leader; false when there is none to connect to yet.
  private func follow() -> Bool {
    switch Socket.connect(unixPath: path) {
    case .connected(let socket):
      guard let leader = try? BrokerPeer(socket, reactor: reactor, owner: self) else { return false }
      role = .following(leader)
      copyIsCurrent = false
      leader.send(BrokerCodec.encoded(.hello(node: node)))
      return true
    case .connecting: return false
    case .backlogFull: return false
    case .refused: return false
    case .missing: return false
    case .failed: return false
    }
  }
}

extension EmbeddedBroker: BrokerPeerOwner {
  func received(_ payload: [UInt8], from peer: BrokerPeer) throws(BrokerCodecError) {
    let event = try BrokerCodec.event(from: payload)
    switch event {
    case .ready:
      backoff.reset()
      log.write("broker_following")
    case .farewell:
      copyIsCurrent = true
    case .changed, .typing, .reply, .described:
      break
    }
    server.brokerDelivered(event)
  }

  func ended(_ peer: BrokerPeer) {
    log.write("broker_lost", [.init(name: "farewell", value: .bool(copyIsCurrent))])
    server.brokerDisconnected()
    seek()
  }
}
