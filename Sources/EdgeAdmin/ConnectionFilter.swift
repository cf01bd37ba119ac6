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
  public func matches(_ connection: some ListedConnection, now: Instant) -> Bool {
    if let ids, !ids.contains(connection.id) { return false }
    if let isThrottled, connection.isThrottled != isThrottled { return false }
    if let user, !isSame(user, connection.user) { return false }
    if let route, !isSame(route, connection.route) { return false }
    if let worker, !isSame(worker, connection.worker) { return false }
    if let origin, !isSame(origin, connection.origin) { return false }
    if let addresses, !(connection.clientAddress.map(addresses.contains) ?? false) { return false }
    let end = connection.ended ?? now
    if let idleLongerThan, end - connection.lastMessage <= idleLongerThan { return false }
    if let olderThan, end - connection.opened.instant <= olderThan { return false }
    return true
  }
}

/// Byte by byte: to the edge, texts that only look the same are different.
private func isSame(_ wanted: String, _ text: String?) -> Bool {
  text.map { $0.utf8.elementsEqual(wanted.utf8) } ?? false
}
