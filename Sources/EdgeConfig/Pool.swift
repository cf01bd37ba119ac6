public import EdgeRouting

extension Configuration {
  /// A named group of workers.
  public struct Pool: Sendable, Equatable {
    /// Names the pool to routes, metrics and logs.
    public internal(set) var name: String
    /// Absolute paths of Unix sockets, or globs that are scanned again every second; never empty.
    public internal(set) var workers: [String]
    /// What is spoken to the workers.
    public internal(set) var `protocol`: WorkerProtocol
    /// How a worker is chosen.
    public internal(set) var balance: Balance
    /// File with the key that signs the cookie of `Balance.cookie`.
    public internal(set) var cookieSecretFile: String?
    /// Active checks; nil for passive health only.
    public internal(set) var health: HealthCheck?
  }

  /// What is spoken to workers.
  public enum WorkerProtocol: String, Sendable, CaseIterable {
    /// HTTP/1.1 and WebSocket, a connection for each client.
    case websocket
    /// One multiplexed link for all clients.
    case link
  }

  /// How a worker is chosen for a new connection.
  public enum Balance: Sendable, Hashable {
    /// Any will do; this says which is next.
    case any(WorkerPool.Settings.Balance)
    /// The one that a signed cookie names.
    case cookie
    /// The same one for the same key, as long as it is there.
    case hash(HashKey)
  }

  /// What decides the worker of a `Balance.hash`.
  public enum HashKey: Sendable, Hashable {
    /// The verified user.
    case user
    /// The client's address.
    case ip
    /// The query parameter of this name.
    case query(name: String)
  }

  /// Active checks of a pool's workers.
  public struct HealthCheck: Sendable, Equatable {
    /// The path that is asked with GET; 2xx and 3xx pass.
    public internal(set) var path: String
    /// The pause between two checks of one worker.
    public internal(set) var interval: Duration
    /// How long one check may take.
    public internal(set) var timeout: Duration
    /// So many failures in a row take a worker out.
    public internal(set) var fall: Int
    /// So many successes in a row take it in again.
    public internal(set) var rise: Int
  }
}
