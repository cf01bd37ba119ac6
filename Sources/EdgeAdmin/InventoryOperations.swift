public import EdgeCore
public import EdgeTelemetry

extension AdminAPI {
  /// What the edge serves with: routes, certificates, keys of tokens.
  static let inventoryOperations: [AdminOperation] = [
    .read("/api/v1/routes", by: .role(.viewer)) { call throws(AdminProblem) in
      .json(["routes": .array(try call.asked { () throws(AdminBackendError) in try call.backend.routes() }.map(\.json))])
    },
    .read("/api/v1/certs", by: .role(.viewer)) { call throws(AdminProblem) in
      let (certificates, now) = (
        try call.asked { () throws(AdminBackendError) in try call.backend.certificates() }, try call.wallTime()
      )
      return .json(["certificates": .array(certificates.map { $0.json(now: now) })])
    },
    .read("/api/v1/keys", by: .role(.viewer)) { call throws(AdminProblem) in
      let keys = try call.asked { () throws(AdminBackendError) in try call.backend.keys() }
      return .json(["keys": .array(keys.map { $0.json(now: call.now) })])
    },
  ]
}

/// One route as the admin plane shows it.
public struct AdminRoute: Equatable, Sendable {
  /// Its name.
  public var name: String
  /// The host as the configuration has it; nil for any.
  public var host: String?
  /// The path as the configuration has it.
  public var path: String
  /// The pool's name.
  public var pool: String
  /// The name of the token check; nil where the route is open.
  public var auth: String?
  /// The origins as the configuration has them.
  public var origins: [String]
  /// What was counted since the start.
  public var totals: TrafficTotals

  /// Makes a route.
  public init(name: String, host: String?, path: String, pool: String, auth: String?, origins: [String], totals: TrafficTotals) {
    self.name = name
    self.host = host
    self.path = path
    self.pool = pool
    self.auth = auth
    self.origins = origins
    self.totals = totals
  }

  fileprivate var json: JSON {
    [
      "name": .string(name), "host": host.map(JSON.string) ?? .null, "path": .string(path), "pool": .string(pool),
      "auth": auth.map(JSON.string) ?? .null, "origins": .array(origins.map(JSON.string)),
      "connections": .integer(Int64(totals.open)), "messages_in": .count(totals.messagesReceived),
      "messages_out": .count(totals.messagesSent), "bytes_in": .count(totals.bytesReceived),
      "bytes_out": .count(totals.bytesSent), "handshakes": totals.handshakesJSON,
    ]
  }
}

/// One certificate as the admin plane shows it.
public struct AdminCertificate: Equatable, Sendable {
  /// The listener that serves it.
  public var listener: String
  /// The chain's path.
  public var name: String
  /// Whom it was issued to, and who vouches for it (RFC 4514).
  public var subject, issuer: String
  /// The names and addresses it was issued for.
  public var names: [String]
  /// When it is valid; the beginning is nil where it cannot be read.
  public var notBefore: WallTime?
  /// The moment after which it is no longer valid.
  public var notAfter: WallTime
  /// The kind of its key, such as `EC P-256`.
  public var keyType: String
  /// Its number among its issuer's, in hexadecimal digits.
  public var serial: String

  /// Makes a certificate.
  public init(
    listener: String, name: String, subject: String, issuer: String, names: [String], notBefore: WallTime?, notAfter: WallTime,
    keyType: String, serial: String
  ) {
    self.listener = listener
    self.name = name
    self.subject = subject
    self.issuer = issuer
    self.names = names
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.keyType = keyType
    self.serial = serial
  }

  fileprivate func json(now: WallTime) -> JSON {
    [
      "listener": .string(listener), "name": .string(name), "subject": .string(subject),
      "names": .array(names.map(JSON.string)), "issuer": .string(issuer),
      "not_before": notBefore.map { .string($0.rfc3339) } ?? .null, "not_after": .string(notAfter.rfc3339),
      "days_left": .integer(daysLeft(until: notAfter, now: now)), "key_type": .string(keyType), "serial": .string(serial),
    ]
  }
}

/// The keys of one token check as the admin plane shows them: names and algorithms, never the keys themselves.
public struct AdminKeys: Equatable, Sendable {
  /// Where keys come from.
  public enum Source: String, Sendable {
    /// A file with public keys.
    case file
    /// An identity provider's address.
    case url
    /// A file with a shared secret.
    case secretFile = "secret_file"
  }

  /// What is told of a key.
  public struct Key: Equatable, Sendable {
    /// The key's name, if it has one.
    public var id: String?
    /// The one algorithm that it is for.
    public var algorithm: String

    /// Makes a key.
    public init(id: String?, algorithm: String) {
      self.id = id
      self.algorithm = algorithm
    }
  }

  /// The name of the token check.
  public var auth: String
  /// Where the keys come from.
  public var source: Source
  /// The path or address, without a query.
  public var location: String
  /// The keys that tokens are checked with.
  public var keys: [Key]
  /// When they were read; nil for keys that a provider never gave.
  public var fetched: Moment?

  /// Makes a set of keys.
  public init(auth: String, source: Source, location: String, keys: [Key], fetched: Moment?) {
    self.auth = auth
    self.source = source
    self.location = location
    self.keys = keys
    self.fetched = fetched
  }

  fileprivate func json(now: Instant) -> JSON {
    [
      "auth": .string(auth), "source": .string(source.rawValue), "location": .string(location),
      "keys": .array(keys.map { ["kid": $0.id.map(JSON.string) ?? .null, "algorithm": .string($0.algorithm)] }),
      "fetched_at": fetched.map { .string($0.wallTime.rfc3339) } ?? .null,
      "age_seconds": fetched.map { seconds(from: $0.instant, to: now) } ?? .null,
    ]
  }
}
