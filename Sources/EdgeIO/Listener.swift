public import EdgeCore

/// A listening socket that several reactors may share. It is closed when the last of them lets go of it.
public final class SharedSocket: Sendable {
  /// The socket.
  public let socket: Socket

  /// Takes over a listening socket.
  public init(_ socket: consuming Socket) {
    self.socket = socket
  }
}

/// Accepts clients on one reactor. Subclass it and override `accepted`.
///
/// At most 16 clients a turn, so that a rush of them does not hold up those who are in. When the process has no descriptor
/// left, accepting pauses for half a second at a time; waiting clients stay in the kernel's backlog.
open class Listener: EventSource {
  /// Where it listens.
  public final let socket: SharedSocket
  private let reactor: Reactor
  private let reserve: DescriptorReserve?
  private let isShared: Bool
  private var state = State.stopped

  /// Makes a listener that does not accept yet.
  ///
  /// - Parameters:
  ///   - socket: a listening socket.
  ///   - isShared: whether other reactors accept from the same socket; a client then wakes one of them, not all.
  ///   - reserve: the process's spare descriptors.
  public init(_ socket: SharedSocket, isShared: Bool, on reactor: Reactor, reserve: DescriptorReserve? = nil) {
    self.socket = socket
    self.isShared = isShared
    self.reactor = reactor
    self.reserve = reserve
    super.init()
  }

  /// Called for each client, in the order in which they came.
  open func accepted(_ client: consuming Socket, from peer: PeerAddress) {}

  /// Called when accepting failed: for lack of descriptors (once for each pause), because a client was gone already, or
  /// because the listener is unusable (it is then stopped).
  open func acceptFailed(_ error: SystemError) {}

  /// Begins to accept. Does nothing if it has begun.
  public final func start() throws(SystemError) {
    guard state == .stopped else { return }
    try reactor.add(self, descriptor: socket.socket.descriptor, interest: isShared ? [.accepting, .exclusive] : .accepting)
    state = .accepting
  }

  /// Stops for good; the reactor lets go of this source. The port stays bound while anybody holds the socket.
  public final func stop() {
    state = .stopped
    reactor.remove(self)
  }

  /// Lets clients wait in the kernel's backlog until `resume()`.
  public final func pause() {
    switch state {
    case .accepting: reactor.suspend(self)
    case .starved: reactor.cancelTimer(self)
    case .stopped, .paused: return
    }
    state = .paused
  }

  /// Accepts again after `pause()`.
  public final func resume() {
    switch state {
    case .paused: acceptAgain()
    case .stopped, .accepting, .starved: return
    }
  }

  /// Accepts the clients that wait.
  public final override func ready(_ readiness: Readiness) {
    for _ in 0..<maxAcceptsPerTurn {
      guard state == .accepting else { return }
      guard reserve?.isWhole ?? true else { return starve() }
      switch socket.socket.accept() {
      case .accepted(let client, let peer): accepted(client, from: peer)
      case .wouldBlock: return
      case .transient(let error): acceptFailed(error)
      case .outOfDescriptors(let error):
        reserve?.release()
        starve()
        return acceptFailed(error)
      case .failed(let error):
        stop()
        return acceptFailed(error)
      }
    }
  }

  /// Looks whether descriptors are to be had again.
  public final override func timerFired() {
    guard state == .starved else { return }
    if reserve?.refill() ?? true {
      acceptAgain()
    } else {
      waitForDescriptors()
    }
  }

  private func starve() {
    reactor.suspend(self)
    waitForDescriptors()
  }

  private func waitForDescriptors() {
    state = .starved
    reactor.setTimer(self, at: reactor.now + starvedPause)
  }

  private func acceptAgain() {
    do throws(SystemError) {
      try reactor.resume(self)
      state = .accepting
    } catch {
      waitForDescriptors()
    }
  }
}

private enum State {
  case stopped
  case accepting
  /// The owner paused it.
  case paused
  /// There is no descriptor left; the timer runs.
  case starved
}

extension Interest {
  fileprivate static let accepting: Interest = [.readable, .levelTriggered]
}

private let maxAcceptsPerTurn = 16
private let starvedPause = Duration.milliseconds(500)
