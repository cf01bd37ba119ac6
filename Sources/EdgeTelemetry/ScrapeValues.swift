public import EdgeCore

/// What a scrape shows besides the reactors' counters: collected by the caller at the moment of the scrape.
public struct ScrapeValues: Sendable {
  /// The edge's version.
  public var version: String
  /// The revision it was built from; empty if unknown.
  public var revision: String
  /// The TLS library and its version.
  public var tlsLibrary: String
  /// Whether the edge is sending its clients away.
  public var isDraining: Bool
  /// Log records dropped since the start; see `LogQueue.droppedRecords`.
  public var logRecordsDropped: UInt64
  /// The certificates in use.
  public var certificates: [CertificateSample]
  /// The key sets that identity providers serve.
  public var keySets: [KeySetSample]
  /// Clients that are connected.
  public var connectedClients: Int
  /// How many may be.
  public var clientLimit: Int
  /// The pools of workers.
  public var pools: [PoolSample]
  /// The workers that are known now.
  public var workers: [WorkerSample]
  /// The tables of what addresses and users have used.
  public var limiters: [LimiterSample]
  /// What operators did.
  public var control: ControlSample
  /// What the kernel says about the process; nil where it could not be asked.
  public var process: ProcessSample?

  /// Makes values for an edge that has no certificates and workers yet.
  public init(
    version: String, revision: String = "", tlsLibrary: String = "", isDraining: Bool = false, logRecordsDropped: UInt64 = 0,
    certificates: [CertificateSample] = [], keySets: [KeySetSample] = [], connectedClients: Int = 0, clientLimit: Int = 0,
    pools: [PoolSample] = [], workers: [WorkerSample] = [], limiters: [LimiterSample] = [],
    control: ControlSample = ControlSample(), process: ProcessSample? = nil
  ) {
    self.version = version
    self.revision = revision
    self.tlsLibrary = tlsLibrary
    self.isDraining = isDraining
    self.logRecordsDropped = logRecordsDropped
    self.certificates = certificates
    self.keySets = keySets
    self.connectedClients = connectedClients
    self.clientLimit = clientLimit
    self.pools = pools
    self.workers = workers
    self.limiters = limiters
    self.control = control
    self.process = process
  }
}

/// A certificate and its end.
public struct CertificateSample: Equatable, Sendable {
  /// The certificate's first name; of several with the same name the one that expires first is shown.
  public var name: String
  /// When it expires.
  public var notAfter: WallTime

  /// Makes a sample.
  public init(name: String, notAfter: WallTime) {
    self.name = name
    self.notAfter = notAfter
  }
}

/// A key set that an identity provider serves.
public struct KeySetSample: Equatable, Sendable {
  /// The name of the `auth` that uses it.
  public var auth: String
  /// How long ago it was fetched; nil if it never was.
  public var age: Duration?

  /// Makes a sample.
  public init(auth: String, age: Duration?) {
    self.auth = auth
    self.age = age
  }
}

/// A pool of workers, which may have none.
public struct PoolSample: Equatable, Sendable {
  /// The pool's name.
  public var name: String
  /// Workers that take new clients.
  public var readyWorkers: Int

  /// Makes a sample.
  public init(name: String, readyWorkers: Int) {
    self.name = name
    self.readyWorkers = readyWorkers
  }
}

/// One worker at the moment of a scrape. Samples of the same pool and name (a replaced socket's old worker and its new
/// one) add up.
public struct WorkerSample: Equatable, Sendable {
  /// The pool's name.
  public var pool: String
  /// The worker's socket path.
  public var worker: String
  /// Whether its health lets it take clients.
  public var isUp: Bool
  /// Connections that it carries.
  public var connections: Int
  /// How often connecting failed, by reason.
  public var connectFailures: [String: UInt64]

  /// Makes a sample.
  public init(pool: String, worker: String, isUp: Bool, connections: Int, connectFailures: [String: UInt64] = [:]) {
    self.pool = pool
    self.worker = worker
    self.isUp = isUp
    self.connections = connections
    self.connectFailures = connectFailures
  }
}

/// One table of what somebody has used of their limits.
public struct LimiterSample: Equatable, Sendable {
  /// Whose limits they are: `ip` or `user`.
  public var scope: String
  /// The entries of the table.
  public var entries: Int
  /// How many entries were forgotten for lack of room although they still said something.
  public var evictions: UInt64

  /// Makes a sample.
  public init(scope: String, entries: Int, evictions: UInt64) {
    self.scope = scope
    self.entries = entries
    self.evictions = evictions
  }
}

/// What the kernel says about the process.
public struct ProcessSample: Equatable, Sendable {
  /// User and system CPU time in seconds.
  public var cpuSeconds: Double
  /// Resident memory in bytes.
  public var residentBytes: UInt64
  /// Virtual memory in bytes.
  public var virtualBytes: UInt64
  /// Open file descriptors.
  public var openDescriptors: UInt64
  /// The soft limit of file descriptors.
  public var maxDescriptors: UInt64
  /// When the process started.
  public var startTime: WallTime

  /// Makes a sample.
  public init(
    cpuSeconds: Double, residentBytes: UInt64, virtualBytes: UInt64, openDescriptors: UInt64, maxDescriptors: UInt64,
    startTime: WallTime
  ) {
    self.cpuSeconds = cpuSeconds
    self.residentBytes = residentBytes
    self.virtualBytes = virtualBytes
    self.openDescriptors = openDescriptors
    self.maxDescriptors = maxDescriptors
    self.startTime = startTime
  }
}
