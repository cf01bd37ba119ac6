import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgePolicy
import EdgeRelay
import EdgeRouting
import EdgeTLS
import EdgeTelemetry

/// The configuration as the reactors use it: everything resolved, immutable, shared. A reload makes another one; what did not change
/// is in both, with its state.
final class Snapshot: Sendable {
  let configuration: Configuration
  let routes: [Route]
  let pools: [WorkerPoolState]
  let listeners: [ListenerContext]
  /// Where clients are accepted, in the order of `listeners`. Nothing that outlives the snapshot may hold them: a socket that
  /// nobody holds is closed.
  let sockets: [ListenerSockets]
  /// The keys of each `auth`.
  let keys: [String: AuthKeys]
  let admission: AdmissionLimits
  /// The names that routes and listeners have in the metrics, and had.
  let metricLayout: MetricLayout
  let headLimits = HeadLimits()
  /// Every field name that some route sets: none of them passes from a client.
  let identityNames: FieldNameSet
  /// What is asked of a peer that is slow to take what waits for it, and of a client that is slow to send a body.
  let stall, uploadStall: Shared<StallLimits>
  /// What changes with the configuration as it may be shown.
  let etag: String
  private let messageLimits: SharedMessageLimits
  private let table: RouteTable
  private let routesByName: [String: Route]

  init(
    _ configuration: Configuration, routes: [Route], table: RouteTable, pools: [WorkerPoolState], listeners: [ListenerContext],
    sockets: [ListenerSockets], keys: [String: AuthKeys], admission: AdmissionLimits, metricLayout: MetricLayout
  ) {
    self.configuration = configuration
    self.routes = routes
    self.table = table
    self.pools = pools
    self.listeners = listeners
    self.sockets = sockets
    self.keys = keys
    self.admission = admission
    self.metricLayout = metricLayout
    routesByName = Dictionary(uniqueKeysWithValues: routes.map { ($0.name, $0) })
    etag = Hexadecimal.text(Digest.sha256(Array(configuration.shownYAML().utf8)).prefix(16))
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

  /// The route of this name.
  func route(named name: String) -> Route? {
    routesByName[name]
  }

  /// What the messages of a connection are charged to.
  ///
  /// - Parameter shared: what it holds of its address's and its user's limits; not asked for where these limit no messages.
  func scopes(of route: Route, shared: @autoclosure () -> [HeldMeter]) -> [MeteredScope] {
    messageLimits.isEmpty ? route.meteredScopes() : route.meteredScopes() + shared().map(messageLimits.scope)
  }

  /// The fetchers of keys that an identity provider serves.
  var fetchers: [KeyFetcher] { keys.values.compactMap(\.fetcher) }
}
