internal import CSystem
internal import EdgeCore
internal import Glibc

/// Messages from any thread to one reactor. Posting never waits for the receiver.
public final class Mailbox<Message: Sendable>: Sendable {
  private let state: Guarded<State>
  private let bell: Bell

  /// Makes an empty mailbox.
  ///
  /// - Parameter capacity: how many messages may wait.
  /// - Throws: `SystemError` from `eventfd`.
  public init(capacity: Int = 65_536) throws(SystemError) {
    bell = try Bell()
    state = Guarded(State(capacity: capacity))
  }

  /// Leaves a message and wakes the receiver. Messages of one thread arrive in order.
  ///
  /// - Returns: false if the mailbox is full or closed; the message is then dropped.
  @discardableResult
  public func post(_ message: Message) -> Bool {
    let (isPosted, isFirst) = state.withLock { state in
      guard !state.isClosed, state.waiting.count < state.capacity else { return (false, false) }
      state.waiting.append(message)
      return (true, state.waiting.count == 1)
    }
    if isFirst { bell.ring() }
    return isPosted
  }

  /// Refuses messages from now on; those that wait can still be taken.
  public func close() {
    state.withLock { $0.isClosed = true }
  }

  var descriptor: Int32 { bell.descriptor }

  /// Takes all waiting messages, in exchange for an array whose memory is used again.
  func exchange(_ messages: inout [Message]) {
    state.withLock { state in
      swap(&state.waiting, &messages)
    }
  }

  private struct State {
    let capacity: Int
    var waiting: [Message] = []
    var isClosed = false
  }
}

/// The receiving end of a mailbox, on the reactor's thread.
public final class MailboxSource<Message: Sendable>: EventSource {
  private let mailbox: Mailbox<Message>
  private let handler: (Message) -> Void
  private var taken: [Message] = []

  /// Makes the one receiver of `mailbox`.
  ///
  /// - Parameter handler: called on the reactor's thread, once for each message. Hold what owns this source weakly there.
  public init(_ mailbox: Mailbox<Message>, handler: @escaping (Message) -> Void) {
    self.mailbox = mailbox
    self.handler = handler
    super.init()
  }

  /// Begins to receive, with the messages that wait already.
  public func attach(to reactor: Reactor) throws(SystemError) {
    try reactor.add(self, descriptor: mailbox.descriptor, interest: .readable)
  }

  /// Handles the messages that have come; those posted meanwhile ring again.
  public override func ready(_ readiness: Readiness) {
    mailbox.exchange(&taken)
    for message in taken { handler(message) }
    taken.removeAll(keepingCapacity: taken.capacity <= maxKeptCapacity)
  }
}

/// An eventfd. Each ring is an edge of its own for epoll, so nobody has to read it.
private struct Bell: ~Copyable, Sendable {
  let descriptor: Int32

  init() throws(SystemError) {
    descriptor = csystem_eventfd()
    guard descriptor >= 0 else { throw SystemError.last("eventfd") }
  }

  deinit {
    Glibc.close(descriptor)
  }

  func ring() {
    var one: UInt64 = 1
    _ = retryingInterrupts { unsafe Glibc.write(descriptor, &one, 8) }
  }
}

/// The memory of a larger rush of messages is given back.
private let maxKeptCapacity = 1024
