public import EdgeCore

/// A worker's socket as a scan finds it: a socket that was replaced is another worker.
public struct WorkerSocket: Hashable, Sendable {
  /// The path of the Unix socket.
  public var path: String
  /// The inode number.
  public var inode: UInt64
  /// The birth time of the file in nanoseconds, or 0: file systems reuse inode numbers.
  public var birth: Int64

  /// Makes a socket's identity.
  public init(path: String, inode: UInt64, birth: Int64 = 0) {
    self.path = path
    self.inode = inode
    self.birth = birth
  }

  /// The last component of the path, such as `w1.sock`: the worker's name where one pool has one directory.
  public var name: String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.index(after: $0)...]) } ?? path
  }
}

/// Names one worker of a pool for as long as the pool lives; never reused.
public struct WorkerID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Counted from 1 in order of appearance.
  public let rawValue: Int

  /// The number.
  public var description: String { String(rawValue) }

  /// Orders by appearance.
  public static func < (lhs: WorkerID, rhs: WorkerID) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// What the operator wants of a worker.
public enum WorkerAdminState: String, Sendable, CaseIterable {
  /// It takes clients.
  case ready
  /// It keeps its clients and takes no new ones.
  case drain
  /// It takes no clients and is not checked.
  case maint
}

/// What is known of one worker, for the admin plane and metrics.
public struct WorkerSnapshot: Sendable {
  /// The worker.
  public let id: WorkerID
  /// Its socket.
  public let socket: WorkerSocket
  /// What the operator wants.
  public let admin: WorkerAdminState
  /// Its share of clients; 0 takes none.
  public let weight: Int
  /// Whether health lets it take clients.
  public let isUp: Bool
  /// Whether its socket was there at the last scan.
  public let isPresent: Bool
  /// Whether it may be given a new client now.
  public let takesClients: Bool
  /// Clients it holds, attempts among them.
  public let connections: Int
  /// Clients it was ever given.
  public let chosenTotal: UInt64
  /// Failures in a row.
  public let failures: Int
  /// When a scan first saw it.
  public let appeared: Instant
}

/// One worker's record in a pool.
struct Worker: Sendable {
  let id: WorkerID
  let socket: WorkerSocket
  let appeared: Instant
  var settings: WorkerSettings
  var health = WorkerHealth.up(failures: 0)
  var isPresent = true
  var connections = 0
  var chosenTotal: UInt64 = 0
  /// Credit of the smooth weighted round robin.
  var credit = 0

  /// Whether the worker belongs to those that health is judged over.
  var isEligible: Bool { isPresent && settings.admin == .ready && settings.weight > 0 }

  /// Whether it may be given clients that belong to it.
  var keepsItsOwn: Bool { isPresent && settings.admin != .maint && settings.keepsClients }

  /// Whether it may take a client without being probed.
  var isUsable: Bool { isEligible && health.isUp }

  /// Whether it has nothing left to do.
  var isFinished: Bool { !isPresent && connections == 0 }

  var snapshot: WorkerSnapshot {
    WorkerSnapshot(
      id: id, socket: socket, admin: settings.admin, weight: settings.weight, isUp: health.isUp, isPresent: isPresent,
      takesClients: isUsable, connections: connections, chosenTotal: chosenTotal, failures: health.failures, appeared: appeared)
  }
}

/// The operator's word about a path; it outlives the sockets that come and go there.
struct WorkerSettings: Sendable, Equatable {
  var admin = WorkerAdminState.ready
  /// Whether it goes on with the clients that it has.
  var keepsClients = true
  var weight = 1
}
