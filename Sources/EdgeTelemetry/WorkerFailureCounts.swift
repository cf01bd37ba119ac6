internal import EdgeCore

/// How often connecting to each worker failed. Failures are rare, so one lock serves all reactors.
public final class WorkerFailureCounts: Sendable {
  private let counts = Guarded<[String: [String: UInt64]]>([:])

  /// Makes counts at zero.
  public init() {}

  /// Counts one failure. `reason` is one of a fixed set of words, never a peer's text.
  public func record(worker: String, reason: String) {
    counts.withLock { $0[worker, default: [:]][reason, default: 0] += 1 }
  }

  /// A worker's failures by reason, for its `WorkerSample`.
  public func failures(of worker: String) -> [String: UInt64] {
    counts.withLock { $0[worker] ?? [:] }
  }

  /// Forgets all other workers, so that sockets with ever new names cannot fill memory.
  public func keep(only workers: Set<String>) {
    counts.withLock { $0 = $0.filter { workers.contains($0.key) } }
  }
}
