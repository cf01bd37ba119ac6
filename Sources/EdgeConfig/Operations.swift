public import EdgePolicy

extension Configuration {
  /// A ban, throttle or revocation that holds from the start.
  public struct Rule: Sendable, Equatable {
    /// What it does, and to whom.
    public internal(set) var effect: RuleEffect
    /// For how long, from the start of the edge; nil for good.
    public internal(set) var ttl: Duration?
  }

  /// The admin plane.
  public struct Admin: Sendable, Equatable {
    /// Where it listens; empty turns it off. Local addresses only, unless `allowPublic`.
    public internal(set) var listen: [ListenAddress]
    /// Another address that serves metrics and probes only, to anyone.
    public internal(set) var metricsListen: ListenAddress?
    /// File of the bearer tokens; without one, only Unix-socket peers may do more than read probes and metrics.
    public internal(set) var tokensFile: String?
    /// File that gets a line for each change made through the admin plane.
    public internal(set) var auditLog: String?
    /// Whether `listen` may name addresses that other machines reach.
    public internal(set) var allowPublic: Bool
  }

  /// What a reload does to who is connected.
  public struct Reload: Sendable, Equatable {
    /// Whether the WebSockets of a route that is gone are closed; else they stay until they end by themselves.
    public internal(set) var closeRemoved: Bool
  }

  /// How the edge empties itself before it stops.
  public struct Drain: Sendable, Equatable {
    /// From unready to the end of accepting, so that load balancers notice.
    public internal(set) var delay: Duration
    /// Over how long connections are closed, evenly.
    public internal(set) var spread: Duration
    /// From the signal to the end in any case, even when `delay` and `spread` are not over.
    public internal(set) var timeout: Duration
  }

  /// What is logged, and where to.
  public struct Log: Sendable, Equatable {
    /// How a line looks.
    public internal(set) var format: LogFormat
    /// The least important level that is written.
    public internal(set) var level: LogLevel
    /// File of the records of connections and requests; nil writes them where all others go, to standard error.
    public internal(set) var access: String?
  }

  /// How a log line looks.
  public enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object.
    case json
    /// Text for people.
    case text
  }

  /// How important a log line is.
  public enum LogLevel: String, Sendable, CaseIterable {
    /// For whoever works on the edge itself.
    case debug
    /// The normal course of things.
    case info
    /// Something to look into.
    case warning = "warn"
    /// Something failed.
    case error
  }
}
