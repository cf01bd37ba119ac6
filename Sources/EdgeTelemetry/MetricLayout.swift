/// The names that label values are made of, fixed when the configuration is read: everything after that counts by index.
public struct MetricLayout: Equatable, Sendable {
  /// The routes; a route's index is its place here.
  public let routes: [String]
  /// The listeners; a listener's index is its place here.
  public let listeners: [String]
  /// The words of protocol errors; an error's index is its place here. One more, `other`, comes after them.
  public let protocolErrors: [String]

  /// Makes a layout. Names must differ within each list; at most `maxProtocolErrors` words.
  public init(routes: [String], listeners: [String], protocolErrors: [String]) {
    precondition(Set(routes).count == routes.count && Set(listeners).count == listeners.count)
    precondition(Set(protocolErrors).count == protocolErrors.count && protocolErrors.count <= Self.maxProtocolErrors)
    self.routes = routes
    self.listeners = listeners
    self.protocolErrors = protocolErrors
  }

  /// How many words for protocol errors a layout takes.
  public static let maxProtocolErrors = 31
}
