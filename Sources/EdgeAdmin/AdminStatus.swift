public import EdgeCore
public import EdgeTelemetry

/// The edge at a glance.
public struct AdminStatus: Equatable, Sendable {
  /// The edge's version.
  public var version: String
  /// The commit it was built from.
  public var revision: String
  /// When it started.
  public var started: Moment
  /// Now.
  public var now: Moment
  /// Reactor threads.
  public var reactors: Int
  /// Clients that are connected.
  public var connections: Int
  /// The most it takes.
  public var maxConnections: Int
  /// The drain that goes on, if one does.
  public var drain: AdminDrain?
  /// Whether the process goes down, or drains.
  public var isDraining: Bool
  /// The names of the routes.
  public var routes: [String]
  /// What was counted since the start.
  public var totals: EdgeTotals
  /// Where the configuration comes from.
  public var configuration: ConfigurationState
  /// The certificate that expires first.
  public var nextExpiry: CertificateExpiry?

  /// Where the configuration that is in force comes from.
  public struct ConfigurationState: Equatable, Sendable {
    /// The file; nil where there is none.
    public var file: String?
    /// When it was read.
    public var loaded: Moment
    /// What changes with it; nil where that is not known.
    public var etag: String?
    /// When a reload was asked for last, and what came of it: `applied`, `unchanged` or `failed`.
    public var lastReload: (at: WallTime, result: String)?

    /// Makes a state.
    public init(file: String? = nil, loaded: Moment, etag: String? = nil, lastReload: (at: WallTime, result: String)? = nil) {
      self.file = file
      self.loaded = loaded
      self.etag = etag
      self.lastReload = lastReload
    }

    /// Compares all members.
    public static func == (left: ConfigurationState, right: ConfigurationState) -> Bool {
      left.file == right.file && left.loaded == right.loaded && left.etag == right.etag
        && left.lastReload?.at == right.lastReload?.at && left.lastReload?.result == right.lastReload?.result
    }
  }

  /// When a certificate expires.
  public struct CertificateExpiry: Equatable, Sendable {
    /// The certificate's name.
    public var name: String
    /// The moment after which it is no longer valid.
    public var notAfter: WallTime

    /// Makes an expiry.
    public init(name: String, notAfter: WallTime) {
      self.name = name
      self.notAfter = notAfter
    }
  }

  /// Makes the status of an edge that serves and has counted nothing.
  public init(
    version: String, revision: String = "", started: Moment, now: Moment, reactors: Int, connections: Int,
    maxConnections: Int, isDraining: Bool, routes: [String], totals: EdgeTotals = EdgeTotals(of: []),
    configuration: ConfigurationState? = nil
  ) {
    self.version = version
    self.revision = revision
    self.started = started
    self.now = now
    self.reactors = reactors
    self.connections = connections
    self.maxConnections = maxConnections
    self.isDraining = isDraining
    self.routes = routes
    self.totals = totals
    self.configuration = configuration ?? ConfigurationState(loaded: started)
  }

  var json: JSON {
    [
      "version": .string(version), "revision": .string(revision), "started_at": .string(started.wallTime.rfc3339),
      "now": .string(now.wallTime.rfc3339), "uptime_seconds": seconds(from: started.instant, to: now.instant),
      "reactors": .integer(Int64(reactors)),
      "connections": .integer(Int64(connections)), "max_connections": .integer(Int64(maxConnections)),
      "ready": .bool(!isDraining), "draining": .bool(isDraining), "drain": drain.map { .object($0.json) } ?? .null,
      "routes": .array(routes.map(JSON.string)), "messages_in": .count(totals.all.messagesReceived),
      "messages_out": .count(totals.all.messagesSent), "bytes_in": .count(totals.all.bytesReceived),
      "bytes_out": .count(totals.all.bytesSent), "handshakes": totals.all.handshakesJSON,
      "throttled_connections": .integer(Int64(totals.throttledConnections)),
      "clients_waiting": .integer(Int64(totals.waitingClients)), "send_queue_bytes": .integer(Int64(totals.sendQueueBytes)),
      "config": configuration.json(now: now.instant), "next_certificate_expiry": nextExpiry?.json(now: now.wallTime) ?? .null,
    ]
  }
}

extension AdminStatus.ConfigurationState {
  fileprivate func json(now: Instant) -> JSON {
    [
      "file": file.map(JSON.string) ?? .null, "loaded_at": .string(loaded.wallTime.rfc3339),
      "age_seconds": seconds(from: loaded.instant, to: now), "etag": etag.map(JSON.string) ?? .null,
      "last_reload": lastReload.map { ["at": .string($0.at.rfc3339), "result": .string($0.result)] } ?? .null,
    ]
  }
}

extension AdminStatus.CertificateExpiry {
  fileprivate func json(now: WallTime) -> JSON {
    [
      "name": .string(name), "not_after": .string(notAfter.rfc3339),
      "days_left": .integer(daysLeft(until: notAfter, now: now)),
    ]
  }
}

extension TrafficTotals {
  /// How often each result came, by its word.
  var handshakesJSON: JSON {
    .object(zip(HandshakeResult.allCases, handshakes).map { JSON.Member(name: $0.word, value: .count($1)) })
  }
}

extension JSON {
  /// A count, held at the end of what JSON's readers take for whole.
  static func count(_ count: UInt64) -> JSON { .integer(Int64(clamping: count)) }
}

/// Whole days, rounded down; negative once the time is over.
func daysLeft(until end: WallTime, now: WallTime) -> Int64 {
  Int64(((end - now).inSeconds / 86_400).rounded(.down))
}
