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

  /// The layout for another configuration. Names that were here keep their indices, for whoever has one goes on counting with it,
  /// and the counters of what is gone stay; new names come behind them.
  ///
  /// Beyond `maxRemoved` names that the configuration does not have, new ones share the name `other`.
  public func adding(routes: [String], listeners: [String]) -> MetricLayout {
    MetricLayout(
      routes: grown(self.routes, by: routes), listeners: grown(self.listeners, by: listeners), protocolErrors: protocolErrors)
  }

  /// The place of each route's name, or of `other`, where it has none.
  public func indices(ofRoutes names: [String]) -> [Int] { indices(of: names, in: routes) }

  /// The place of each listener's name, or of `other`, where it has none.
  public func indices(ofListeners names: [String]) -> [Int] { indices(of: names, in: listeners) }

  private func indices(of names: [String], in known: [String]) -> [Int] {
    let places = Dictionary(uniqueKeysWithValues: zip(known, known.indices))
    return names.map { places[$0] ?? places[otherName] ?? 0 }
  }

  private func grown(_ known: [String], by names: [String]) -> [String] {
    let seen = Set(known)
    let new = names.filter { !seen.contains($0) }
    let room = max(0, Self.maxRemoved + names.count - known.count)
    guard new.count > room else { return known + new }
    let taken = new.prefix(room)
    return known + taken + (seen.contains(otherName) || taken.contains(otherName) ? [] : [otherName])
  }

  /// How many names are kept that no configuration has any more.
  static let maxRemoved = 1024

  /// How many words for protocol errors a layout takes.
  public static let maxProtocolErrors = 31
}

/// What counts for those that came when there was no room for more names.
private let otherName = "other"
