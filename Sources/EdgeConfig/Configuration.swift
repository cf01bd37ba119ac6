public import EdgeCore

/// What an operator asked of the edge: complete, valid, immutable.
///
/// A value exists only when every key was understood, every value lies in its range and every reference holds, so code that
/// reads one checks nothing again. The names are those of the YAML keys in camel case; `docs/configuration.md` explains each.
public struct Configuration: Sendable, Equatable {
  /// The version of the format; always 1.
  public internal(set) var version: Int
  /// How many reactors serve clients.
  public internal(set) var threads: Threads
  /// The directory of what survives a restart.
  public internal(set) var stateDirectory: String
  /// The addresses that clients reach; at least one, with unique names.
  public internal(set) var listeners: [Listener]
  /// Peers whose forwarding fields and PROXY headers are believed.
  public internal(set) var trustedProxies: TrustedProxies
  /// Deadlines that hold for every connection.
  public internal(set) var timeouts: Timeouts
  /// Limits of the whole edge, of one address and of one user.
  public internal(set) var limits: Limits
  /// Token checks by name.
  public internal(set) var auth: [String: Auth]
  /// Groups of workers, in the order of the file, with unique names; at least one.
  public internal(set) var pools: [Pool]
  /// Which request goes where, in the order of the file, with unique names and unique matches; at least one.
  public internal(set) var routes: [Route]
  /// Bans, throttles and revocations that hold from the start.
  public internal(set) var rules: [Rule]
  /// The admin plane.
  public internal(set) var admin: Admin
  /// What a reload does to who is connected.
  public internal(set) var reload: Reload
  /// How the edge empties itself before it stops.
  public internal(set) var drain: Drain
  /// What is logged, and where to.
  public internal(set) var log: Log
  /// What of it is not to be shown.
  var redactions = Redactions()
}

extension Configuration {
  /// How many reactors serve clients.
  public enum Threads: Sendable, Equatable {
    /// One for each processor.
    case auto
    /// This many, 1 to 1024.
    case count(Int)
  }

  /// Where clients and operators are served, in the order of the file.
  public var socketAddresses: [ListenAddress] {
    listeners.map(\.address) + admin.listen + (admin.metricsListen.map { [$0] } ?? [])
  }

  /// The names, or numbers, of the sockets that the service manager is to pass.
  public var passedSocketNames: [String] {
    socketAddresses.compactMap { address in
      switch address {
      case .systemd(let name): name
      case .tcp, .unix: nil
      }
    }
  }

  /// The pool of this name, or nil.
  public func pool(named name: String) -> Pool? {
    pools.first { $0.name == name }
  }
}
