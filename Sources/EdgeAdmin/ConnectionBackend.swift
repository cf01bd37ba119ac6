public import EdgeCore
public import EdgePolicy

/// The edge's connections as the admin plane sees them. Calls come on the admin plane's threads and may wait there for the
/// reactors, for a bounded time.
public protocol ConnectionBackend: Sendable {
  /// One page of connections; `ConnectionSelection` makes it.
  func connections(_ query: ConnectionQuery) throws(AdminBackendError) -> ConnectionPage

  /// One connection, open or closed not long ago; nil if there is none of that name.
  func connection(_ id: ConnectionID) throws(AdminBackendError) -> ConnectionSummary?

  /// Closes one open connection.
  ///
  /// - Returns: whether there was such a connection.
  func disconnect(_ id: ConnectionID, _ order: DisconnectOrder) throws(AdminBackendError) -> Bool

  /// Closes all connections that are meant, at once or at a pace.
  func disconnect(_ order: BulkDisconnectOrder) throws(AdminBackendError) -> BulkDisconnectOutcome

  /// How far an order with a pace has come; nil where there is none of that name, or it was over long ago.
  func disconnectJob(_ name: String) -> DisconnectJob?

  /// Stops an order with a pace: whoever is still there stays.
  func stopDisconnectJob(_ name: String) -> DisconnectJob?

  /// Slows one open connection down; nil takes that away. What rules say of it holds all the same.
  ///
  /// - Parameter ttl: when it ends by itself; nil is with the connection.
  /// - Returns: the connection, or nil if there is none of that name.
  func throttle(_ id: ConnectionID, _ throttle: (rates: Throttle, ttl: Duration?)?) throws(AdminBackendError)
    -> ConnectionSummary?

  /// Who talks, by address or by user.
  func talkers(_ subject: TopQuery.Subject) throws(AdminBackendError) -> TopTalkers
}
