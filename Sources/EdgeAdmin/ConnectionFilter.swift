public import EdgeCore

/// Which connections are meant: those that have all that is named here.
public struct ConnectionFilter: Equatable, Sendable {
  /// This user's.
  public var user: String?
  /// Those from this block of addresses.
  public var addresses: CIDR?
  /// Those of this route.
  public var route: String?
  /// Those of this worker, by its socket path.
  public var worker: String?
  /// Those from a page of this origin.
  public var origin: String?
  /// Those whose client is beyond a limit, or those whose client is not.
  public var isThrottled: Bool?
  /// Those that have been silent for longer than this.
  public var idleLongerThan: Duration?
  /// Those that are older than this.
  public var olderThan: Duration?
  /// Those of these names.
  public var ids: Set<ConnectionID>?

  /// Makes a filter that all connections pass.
  public init() {}

  /// Whether nothing is named, and so all are meant.
  public var isEmpty: Bool { self == ConnectionFilter() }

  /// Whether a connection is meant. One that is over is as old and as silent as it was at its end.
  public func matches(_ connection: ConnectionSummary, now: WallTime) -> Bool {
    if let ids, !ids.contains(connection.id) { return false }
    if let isThrottled, connection.isThrottled != isThrottled { return false }
    guard isSame(user, connection.user), isSame(route, connection.route), isSame(worker, connection.worker),
      isSame(origin, connection.origin)
    else { return false }
    if let addresses, !(connection.clientAddress.map(addresses.contains) ?? false) { return false }
    let end = connection.end?.at ?? now
    if let idleLongerThan, end - connection.lastMessageAt <= idleLongerThan { return false }
    if let olderThan, end - connection.openedAt <= olderThan { return false }
    return true
  }
}

/// Byte by byte: to the edge, texts that only look the same are different.
private func isSame(_ wanted: String?, _ text: String?) -> Bool {
  guard let wanted else { return true }
  return text.map { $0.utf8.elementsEqual(wanted.utf8) } ?? false
}
