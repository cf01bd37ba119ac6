/// Why a worker could not take a client: the label `reason` of `sluice_worker_connect_failures_total`.
public enum ConnectFailure: String, Error, Sendable, CaseIterable {
  /// EAGAIN: more clients wait than the worker's backlog holds.
  case backlogFull = "backlog_full"
  /// ECONNREFUSED: nobody listens on the socket; just after `bind` that is normal.
  case refused
  /// ENOENT: the socket is gone; the next scan will see it too.
  case missing
  /// EACCES or EPERM: the edge may not connect to the socket.
  case forbidden
  /// The worker took the connection and did not answer in time.
  case hung
  /// The worker ended the connection before the first byte of an answer.
  case endedEarly = "ended_early"
  /// The edge itself ran out of descriptors or memory.
  case edgeExhausted = "edge_exhausted"
  /// Any other error of the socket.
  case other

  /// What to do for the client that met a failure.
  public enum Retry: Hashable, Sendable {
    /// Try one other worker, once.
    case nextWorker
    /// Try one other worker; if there is none, the same again after a short time until the connect deadline.
    case nextWorkerOrLater
    /// Answer the client now: another attempt would cost what it has no time for, or do a thing twice.
    case giveUp
  }

  /// What to do for the client; after `endedEarly` only where no request body was sent and the method is safe to repeat.
  public var retry: Retry {
    switch self {
    case .backlogFull: .nextWorkerOrLater
    case .refused, .missing, .forbidden, .endedEarly, .other: .nextWorker
    case .hung, .edgeExhausted: .giveUp
    }
  }

  /// Whether it says something about the worker's health: a full backlog says it is busy, and our own shortage says nothing.
  var countsAgainstHealth: Bool {
    switch self {
    case .backlogFull, .edgeExhausted: false
    case .refused, .missing, .forbidden, .hung, .endedEarly, .other: true
    }
  }

  /// Whether it is normal while a worker starts, between `bind` and `listen`.
  var isNormalAtStart: Bool {
    switch self {
    case .refused, .missing: true
    case .backlogFull, .forbidden, .hung, .endedEarly, .edgeExhausted, .other: false
    }
  }
}
