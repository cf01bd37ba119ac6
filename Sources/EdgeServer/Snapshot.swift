import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeRouting

/// The configuration as the reactors use it: everything resolved, immutable, shared.
final class Snapshot: Sendable {
  let configuration: Configuration
  let routes: [Route]
  let headLimits = HeadLimits()
  /// Every field name that some route sets: none of them passes from a client.
  let identityNames: FieldNameSet
  let messageLimits: SharedMessageLimits
  private let table: RouteTable

  init(configuration: Configuration, routes: [Route], table: RouteTable) {
    self.configuration = configuration
    self.routes = routes
    self.table = table
    messageLimits = SharedMessageLimits(configuration.limits)
    identityNames = FieldNameSet(routes.flatMap { $0.identityHeaders.map(\.name) } + ["X-Sluice-User"])
  }

  var timeouts: Configuration.Timeouts { configuration.timeouts }
  var trustedProxies: TrustedProxies { configuration.trustedProxies }

  /// How long a client's connection may wait between two requests.
  static let keepAlive = Duration.seconds(75)

  /// The route of a request, by its host and path in normal form.
  func route(host: String?, path: String) -> Route? {
    table.match(host: host, path: path).map { routes[$0] }
  }
}
