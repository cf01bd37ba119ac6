import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeRelay
import EdgeRouting

/// The configuration as the reactors use it: everything resolved, immutable, shared.
final class Snapshot: Sendable {
  let configuration: Configuration
  let routes: [Route]
  let headLimits = HeadLimits()
  /// Every field name that some route sets: none of them passes from a client.
  let identityNames: FieldNameSet
  let messageLimits: SharedMessageLimits
  /// What is asked of a peer that is slow to take what waits for it, and of a client that is slow to send a body.
  let stall, uploadStall: Shared<StallLimits>
  private let table: RouteTable

  init(configuration: Configuration, routes: [Route], table: RouteTable) {
    self.configuration = configuration
    self.routes = routes
    self.table = table
    messageLimits = SharedMessageLimits(configuration.limits)
    let timeouts = configuration.timeouts
    stall = Shared(StallLimits(minBytes: timeouts.stall.minBytes, timeout: timeouts.stall.timeout))
    uploadStall = Shared(StallLimits(minBytes: timeouts.stall.minBytes, timeout: timeouts.bodyProgress))
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
