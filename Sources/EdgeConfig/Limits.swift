public import EdgeCore

extension Configuration {
  /// Deadlines that hold for every connection; each is longer than zero.
  public struct Timeouts: Sendable, Equatable {
    /// From accepting a connection to the end of its TLS handshake.
    public internal(set) var handshake: Duration
    /// From the first byte of a request head to its last.
    public internal(set) var head: Duration
    /// The longest a request body may make no progress.
    public internal(set) var bodyProgress: Duration
    /// To reach a worker, all attempts together.
    public internal(set) var connect: Duration
    /// From the whole request to the first byte of a worker's answer.
    public internal(set) var workerResponse: Duration
    /// From a sent Close frame to the peer's answer.
    public internal(set) var close: Duration
    /// How slow a client may take what waits for it.
    public internal(set) var stall: Stall
  }

  /// The least progress of a client for which data waits.
  public struct Stall: Sendable, Equatable {
    /// Bytes that it must take within `timeout`.
    public internal(set) var minBytes: Int
    /// The time it has for them.
    public internal(set) var timeout: Duration
  }

  /// Limits of the whole edge, of one address and of one user.
  public struct Limits: Sendable, Equatable {
    /// Client connections at a time, in all.
    public internal(set) var maxConnections: Int
    /// How fast the whole edge takes new connections.
    public internal(set) var handshakes: Admission
    /// Addresses that no per-address limit holds for.
    public internal(set) var exempt: [CIDR]
    /// What one client address may do.
    public internal(set) var perIP: PerIP
    /// What one verified user may do.
    public internal(set) var perUser: PerUser
  }

  /// How fast the whole edge takes new connections.
  public struct Admission: Sendable, Equatable {
    /// Handshakes in a time.
    public internal(set) var rate: AdmissionRate
    /// How long one may wait for its turn before it is refused.
    public internal(set) var queueTimeout: Duration
  }

  /// The rate of the admission ramp.
  public enum AdmissionRate: Sendable, Equatable {
    /// 400 a second for each reactor.
    case auto
    /// This rate.
    case rate(Rate)
  }

  /// What one client address may do. IPv6 addresses count as one when their first `ipv6Prefix` bits agree.
  public struct PerIP: Sendable, Equatable {
    /// Connections at a time.
    public internal(set) var connections: Int
    /// New connections in a time.
    public internal(set) var handshakes: Bucket
    /// How many leading bits tell IPv6 clients apart, 32 to 128.
    public internal(set) var ipv6Prefix: Int
    /// A second, wider limit for the networks that IPv6 clients come from.
    public internal(set) var ipv6Cap: IPv6Cap
    /// Messages in a time, over all connections of the address; nil for any.
    public internal(set) var messages: MeteredLimit?
    /// Payload bytes in a time, over all connections of the address; nil for any.
    public internal(set) var bytes: MeteredLimit?
  }

  /// A wider limit for IPv6: a whole network may do `factor` times what one address may.
  public struct IPv6Cap: Sendable, Equatable {
    /// Leading bits that make a network; fewer than `PerIP.ipv6Prefix`, or equal.
    public internal(set) var prefix: Int
    /// Multiplies every limit of one address.
    public internal(set) var factor: Int
  }

  /// What one verified user may do, over all connections.
  public struct PerUser: Sendable, Equatable {
    /// Connections at a time; nil for any number.
    public internal(set) var connections: Int?
    /// Messages in a time; nil for any.
    public internal(set) var messages: MeteredLimit?
    /// Payload bytes in a time; nil for any.
    public internal(set) var bytes: MeteredLimit?
    /// What happens to one connection too many.
    public internal(set) var whenFull: WhenFull
  }

  /// What happens when a user opens one connection too many.
  public enum WhenFull: String, Sendable, CaseIterable {
    /// The new connection is refused.
    case reject
    /// The user's oldest connection is closed with 4409.
    case replaceOldest = "replace_oldest"
  }

  /// So many things in a time: `20/s`, or bytes: `64KiB/s`.
  public struct Rate: Sendable, Hashable {
    /// How many; at least one.
    public let count: Int
    /// In how much time; longer than zero.
    public let per: Duration
  }

  /// A rate and how far it may be exceeded for a moment.
  public struct Bucket: Sendable, Equatable {
    /// The rate in the long run.
    public internal(set) var rate: Rate
    /// How many may come at once; at least one.
    public internal(set) var burst: Int
  }

  /// A rate of messages or bytes, and what happens beyond it.
  public struct MeteredLimit: Sendable, Equatable {
    /// The rate in the long run.
    public internal(set) var rate: Rate
    /// How many may come at once; by default as many as `rate.count`.
    public internal(set) var burst: Int
    /// What happens beyond it.
    public internal(set) var over: Excess
    /// Closes a connection that was over its limit for so long without a pause; nil for never.
    public internal(set) var closeAfter: Duration?
  }

  /// What happens beyond a rate.
  public enum Excess: String, Sendable, CaseIterable {
    /// Reading pauses until the rate allows more.
    case delay
    /// The message is thrown away.
    case drop
    /// The connection is closed with 4429.
    case close
  }
}
