public import EdgeCore

/// Who waits on one reactor for a slot of an `AdmissionRamp`: first come, first served.
///
/// Clients and slots are two queues. Where a client has gone away, those behind it move forward by a slot, and the slot that is
/// left at the end is for whoever comes next. So a crowd that leaves neither holds up the others, nor lets them in faster than
/// the ramp says. Nobody waits longer than the ramp's timeout, so that the queue holds no more than the rate gives in that time.
public struct PacedQueue<Client> {
  private var clients = FIFO<Client>()
  /// At least one for each client.
  private var slots = FIFO<Instant>()

  /// Makes an empty queue.
  public init() {}

  /// Whether nobody waits, and no slot is left over.
  public var isUnused: Bool { slots.isEmpty }

  /// When the first client's slot comes; nil where nobody waits.
  public var nextSlot: Instant? { clients.isEmpty ? nil : slots.first }

  /// Adds a client to those who wait.
  ///
  /// - Parameter reserveSlot: called where no slot is left over; gives a new one, not before any that it gave, or nil.
  /// - Returns: false where it gave none, and the client does not wait.
  public mutating func append(_ client: Client, now: Instant, reserveSlot: () -> Instant?) -> Bool {
    forgetUnusedSlots(now: now)
    if slots.count == clients.count {
      guard let slot = reserveSlot() else { return false }
      slots.append(slot)
    }
    clients.append(client)
    return true
  }

  /// Takes out the first client, if its slot has come.
  ///
  /// - Parameter isGone: whether a client has gone away, and needs no slot; it is taken out then, and the next one is asked about.
  public mutating func popDue(now: Instant, isGone: (Client) -> Bool) -> Client? {
    guard let slot = slots.first, slot <= now else { return nil }
    while let client = clients.popFirst() {
      guard isGone(client) else {
        _ = slots.popFirst()
        return client
      }
    }
    return nil
  }

  /// Takes out the first client, whenever its slot comes.
  public mutating func popFirst() -> Client? {
    clients.popFirst()
  }

  private mutating func forgetUnusedSlots(now: Instant) {
    while slots.count > clients.count, clients.isEmpty, let slot = slots.first, slot < now { _ = slots.popFirst() }
  }
}

/// What goes in at the end and comes out at the front.
private struct FIFO<Element> {
  private var elements: [Element?] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { count == 0 }
  var first: Element? { isEmpty ? nil : elements[head] }

  mutating func append(_ element: Element) {
    elements.append(element)
  }

  mutating func popFirst() -> Element? {
    guard !isEmpty else { return nil }
    defer {
      elements[head] = nil
      head += 1
      // Moving the rest pays off once as much has gone.
      if head * 2 >= elements.count {
        elements.removeFirst(head)
        head = 0
      }
    }
    return elements[head]
  }
}
