/// Says which route a request takes: the most specific one whose host and path both match.
///
/// The host decides first: exact, then the longest wildcard, then any. Among those of one host pattern an exact path comes
/// before a prefix, and a longer prefix before a shorter one. A request whose path matches no route of its exact host may still
/// match a route of a wildcard or of any host.
public struct RouteTable: Sendable {
  /// Two routes match exactly the same requests; the positions are those of the given list.
  public struct DuplicateRoute: Error, Hashable, Sendable {
    /// The earlier of the two.
    public let first: Int
    /// The later, which could never be chosen.
    public let second: Int
  }

  /// Positions in the given list with their patterns, the most specific first.
  private let ordered: [(position: Int, route: RoutePattern)]

  /// Makes a table; `match` answers with positions in `routes`.
  public init(_ routes: [RoutePattern]) throws(DuplicateRoute) {
    var seen: [RoutePattern: Int] = [:]
    for (position, route) in routes.enumerated() {
      if let first = seen[route] { throw DuplicateRoute(first: first, second: position) }
      seen[route] = position
    }
    ordered = routes.enumerated().sorted { $0.element.precedes($1.element) }.map { (position: $0.offset, route: $0.element) }
  }

  /// The position of the route for a request, or nil if none matches.
  ///
  /// - Parameters:
  ///   - host: in lower case, without port and trailing dot; nil when the request names none.
  ///   - path: in normal form, without query.
  public func match(host: String?, path: String) -> Int? {
    ordered.first { $0.route.path.matches(path) && $0.route.host.matches(host) }?.position
  }
}

extension RoutePattern {
  fileprivate func precedes(_ other: Self) -> Bool {
    host.specificity != other.host.specificity
      ? host.specificity > other.host.specificity : path.specificity > other.path.specificity
  }
}
