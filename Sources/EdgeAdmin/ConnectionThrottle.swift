public import EdgeCore
public import EdgePolicy

/// A throttle that an operator put on one connection. It holds beside those of rules, and ends with the connection at the latest.
public struct ConnectionThrottle: Equatable, Sendable {
  /// How fast the client may talk; what comes faster waits.
  public var rates: Throttle
  /// When it ends by itself; nil where it does not.
  public var until: WallTime?

  /// Makes a throttle.
  public init(rates: Throttle, until: WallTime?) {
    self.rates = rates
    self.until = until
  }

  var json: JSON {
    [
      "messages_per_second": rates.messages?.unitsPerSecond ?? .null,
      "burst": rates.messages.map { .integer(Int64(clamping: $0.burst)) } ?? .null,
      "bytes_per_second": rates.bytes?.unitsPerSecond ?? .null,
      "until": until.map { .string($0.rfc3339) } ?? .null,
    ]
  }
}

/// The body of `PUT /api/v1/connections/{id}/throttle`: rates as in a rule, and `ttl_seconds`.
struct ThrottleOrder {
  let rates: Throttle
  /// For how long; nil for as long as the connection lasts.
  let ttl: Duration?

  init(_ request: AdminRequest) throws(AdminProblem) {
    (rates, ttl) = try request.members { members throws(RuleFlaw) in
      (try Throttle(taking: &members), try members.takeTTL())
    }
  }

  /// What is said of it in the audit log.
  var json: JSON {
    [
      "messages_per_second": rates.messages?.unitsPerSecond ?? .null,
      "burst": rates.messages.map { .integer(Int64(clamping: $0.burst)) } ?? .null,
      "bytes_per_second": rates.bytes?.unitsPerSecond ?? .null,
      "ttl_seconds": ttl.map { .integer($0.components.seconds) } ?? .null,
    ]
  }
}

extension GCRA {
  fileprivate var unitsPerSecond: JSON {
    let second: UInt64 = 1_000_000_000
    guard periodNanoseconds != second else { return .integer(Int64(clamping: units)) }
    return .number(Double(units) * Double(second) / Double(periodNanoseconds))
  }
}
