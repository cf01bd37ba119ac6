/// When the change of a setting takes effect that a reload brings.
public enum ReloadEffect: String, Sendable, CaseIterable {
  /// At once, for whoever is connected too.
  case applied
  /// At once, for connections and requests that come from now on.
  case newConnections = "new_connections"
  /// With the next start of the edge.
  case needsRestart = "needs_restart"

  /// The effect of a key, as declared for it or for the nearest section around it; nil where nothing is declared.
  ///
  /// - Parameter schemaPath: the key as the reference has it, such as `routes[].ping.interval`.
  init?(ofKey schemaPath: String) {
    var path = Substring(schemaPath)
    while declared[String(path)] == nil {
      guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
      path = path[..<end]
    }
    guard let effect = declared[String(path)] else { return nil }
    self = effect
  }
}

extension Configuration {
  /// What a running edge goes by once it has taken in `new`: all of it but what only the next start changes.
  public func reloaded(with new: Configuration) -> Configuration {
    var result = new
    result.threads = threads
    result.stateDirectory = stateDirectory
    result.admin.listen = admin.listen
    result.admin.metricsListen = admin.metricsListen
    result.admin.allowPublic = admin.allowPublic
    return result
  }
}

/// What each section does, and where a key within it differs, what that does. `reloaded(with:)` keeps what needs a restart.
private let declared: [String: ReloadEffect] = [
  "version": .applied,
  "threads": .needsRestart,
  "state_dir": .needsRestart,
  "listeners": .newConnections,
  "listeners[].name": .applied,
  "listeners[].address": .applied,
  "trusted_proxies": .newConnections,
  "timeouts": .newConnections,
  "timeouts.close": .applied,
  "timeouts.stall": .applied,
  "limits": .newConnections,
  "limits.per_ip.messages": .applied,
  "limits.per_ip.bytes": .applied,
  "auth": .newConnections,
  "pools": .applied,
  "routes": .newConnections,
  "routes[].max_message": .applied,
  "routes[].max_send_queue": .applied,
  "routes[].check_utf8": .applied,
  "routes[].messages": .applied,
  "routes[].bytes": .applied,
  "routes[].notice": .applied,
  "routes[].renew": .applied,
  "routes[].ping": .applied,
  "routes[].idle_timeout": .applied,
  "routes[].close_codes": .applied,
  "rules": .applied,
  "admin": .applied,
  "admin.listen": .needsRestart,
  "admin.metrics_listen": .needsRestart,
  "admin.allow_public": .needsRestart,
  "reload": .applied,
  "drain": .applied,
  "log": .applied,
]
