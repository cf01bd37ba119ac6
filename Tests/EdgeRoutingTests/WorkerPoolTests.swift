import EdgeCore
import EdgeRouting
import Testing

@Suite struct WorkerBalanceTests {
  @Test(arguments: [1, 2, 3, 7])
  func `least connections keeps workers even within one`(count: Int) throws {
    let pool = TestPool(count)
    for _ in 0..<50 {
      _ = try pool.choose()
      let loads = pool.loads
      #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= 1)
    }
  }

  @Test func `equals take turns, so that short clients do not all meet the first worker`() throws {
    let pool = TestPool(3)
    var chosen: [WorkerID: Int] = [:]
    for _ in 0..<30 {
      let choice = try pool.choose()
      chosen[choice.worker, default: 0] += 1
      pool.pool.closed(choice.worker)
    }
    #expect(Set(chosen.values) == [10])
  }

  @Test(arguments: WorkerPool.Settings.Balance.allCases)
  func `a worker of weight three holds three times as many`(balance: WorkerPool.Settings.Balance) throws {
    let pool = TestPool(2, settings: .init(balance: balance))
    #expect(pool.set(path: "/run/w1.sock", weight: 3))
    for _ in 0..<40 { _ = try pool.choose() }
    #expect(pool.loads == [10, 30])
  }

  @Test func `round robin does not look at connections`() throws {
    let pool = TestPool(2, settings: .init(balance: .roundRobin))
    let first = try pool.choose()
    let second = try pool.choose()
    #expect(first.worker != second.worker)
    pool.pool.closed(second.worker)
    let more = try [pool.choose(), pool.choose(), pool.choose()]
    #expect(more.map(\.worker) == [first.worker, second.worker, first.worker])
  }

  @Test func `workers a client has tried are not chosen again`() throws {
    let pool = TestPool(2)
    let first = try pool.choose()
    let second = try pool.choose(excluding: [first.worker])
    #expect(second.worker != first.worker)
    #expect(pool.attempt(excluding: [first.worker, second.worker]) == nil)
  }

  @Test func `weight zero takes no client`() throws {
    let pool = TestPool(2)
    #expect(pool.set(path: "/run/w0.sock", weight: 0))
    for _ in 0..<5 { #expect(try pool.choose().path == "/run/w1.sock") }
  }
}

@Suite struct WorkerScanTests {
  @Test func `a replaced socket is a new worker, and the old one only drains`() throws {
    let pool = TestPool(1)
    let old = try pool.choose()
    let changes = pool.scan([WorkerSocket(path: "/run/w0.sock", inode: 900)])
    #expect(changes.removed == [old.worker])
    #expect(changes.added.count == 1)
    #expect(try pool.choose().worker == changes.added.first)
    #expect(pool.pool.snapshot.map(\.connections) == [1, 1])
    #expect(pool.pool.snapshot.map(\.isPresent) == [false, true])
    pool.pool.closed(old.worker)
    #expect(pool.pool.snapshot.map(\.id) == changes.added)
  }

  @Test func `a reused inode with another birth time is a new worker`() {
    let pool = TestPool(1)
    #expect(pool.scan([WorkerSocket(path: "/run/w0.sock", inode: 100, birth: 5)]).added.count == 1)
  }

  @Test(arguments: [("/run/chat/w1.sock", "w1.sock"), ("w1.sock", "w1.sock"), ("/run/", "")])
  func `a worker is named by the last part of its path`(path: String, name: String) {
    #expect(WorkerSocket(path: path, inode: 1).name == name)
  }

  @Test func `the same sockets again change nothing`() {
    let pool = TestPool(3)
    #expect(pool.scan(TestPool.sockets(3)).isEmpty)
  }

  @Test func `without workers nobody is chosen`() {
    let pool = TestPool(1)
    _ = pool.scan([])
    #expect(pool.attempt() == nil)
    #expect(!pool.pool.hasUsableWorker)
    #expect(pool.pool.snapshot.isEmpty)
  }

  @Test(arguments: [WorkerAdminState.drain, .maint])
  func `a worker set aside keeps its clients, takes none, and stays so when its socket is replaced`(state: WorkerAdminState)
    throws
  {
    let pool = TestPool(2)
    for _ in 0..<4 { _ = try pool.choose() }
    #expect(pool.set(path: "/run/w0.sock", admin: state))
    for _ in 0..<4 { _ = try pool.choose() }
    #expect(pool.loads == [2, 6])
    _ = pool.scan([])
    _ = pool.scan([WorkerSocket(path: "/run/w0.sock", inode: 901)])
    #expect(pool.attempt() == nil)
    #expect(pool.set(path: "/run/w0.sock", admin: .ready))
    #expect(try pool.choose().path == "/run/w0.sock")
  }

  @Test(arguments: [(WorkerAdminState.ready, false), (.drain, true), (.maint, true)])
  func `only a worker that is set aside sends its clients away, and one in maintenance always does`(
    state: WorkerAdminState, mayGo: Bool
  ) throws {
    let pool = TestPool(1)
    let worker = try pool.choose().worker
    for keepsClients in [true, false] {
      #expect(pool.set(path: "/run/w0.sock", admin: state, keepsClients: keepsClients))
      #expect(pool.pool.sendsClientsAway(worker) == (mayGo && (!keepsClients || state == .maint)))
      #expect(pool.set(path: "/run/w0.sock", weight: 3))
      #expect(
        pool.pool.sendsClientsAway(worker) == (mayGo && (!keepsClients || state == .maint)), "a weight changes nothing of it")
    }
    #expect(pool.set(path: "/run/w0.sock", admin: .ready))
    #expect(!pool.pool.sendsClientsAway(worker))
  }

  @Test func `a wish for a path without a worker is refused`() {
    let pool = TestPool(1)
    #expect(!pool.set(path: "/run/none.sock", admin: .drain))
  }
}

@Suite struct WorkerHealthTests {
  @Test func `fall failures in a row take a worker down`() throws {
    let pool = TestPool(2)
    for _ in 0..<2 { try pool.fail(0, .hung) }
    #expect(pool.up == [true, true])
    try pool.fail(0, .hung)
    #expect(pool.up == [false, true])
    for _ in 0..<3 { #expect(try pool.choose().path == "/run/w1.sock") }
  }

  @Test func `an answer in between starts the count anew`() throws {
    let pool = TestPool(2)
    for _ in 0..<2 { try pool.fail(0, .endedEarly) }
    pool.pool.answered(pool.ids[0], now: pool.now)
    for _ in 0..<2 { try pool.fail(0, .endedEarly) }
    #expect(pool.up == [true, true])
  }

  @Test(arguments: [ConnectFailure.backlogFull, .edgeExhausted])
  func `a full backlog and our own shortage say nothing about health`(failure: ConnectFailure) throws {
    let pool = TestPool(2)
    for _ in 0..<20 { try pool.fail(0, failure) }
    #expect(pool.up == [true, true])
  }

  @Test func `a socket has a second's grace to begin to listen, but not to hang`() throws {
    let pool = TestPool(2, age: .milliseconds(900))
    for _ in 0..<5 { try pool.fail(0, .refused) }
    #expect(pool.up == [true, true])
    for _ in 0..<3 { try pool.fail(0, .hung) }
    #expect(pool.up == [false, true])
    let older = TestPool(2, age: .milliseconds(1100))
    for _ in 0..<3 { try older.fail(0, .refused) }
    #expect(older.up == [false, true])
  }

  @Test(arguments: [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)])
  func `clients' failures take out at most half of a pool, and never the last`(count: Int, down: Int) throws {
    let pool = TestPool(count)
    for _ in 0..<10 {
      for worker in 0..<count { try pool.fail(worker, .hung) }
    }
    #expect(pool.up.count { !$0 } == down)
    #expect(pool.attempt() != nil)
  }

  @Test func `when the pool shrinks, workers it cannot spare come back`() throws {
    let pool = TestPool(4)
    for worker in 0..<2 { for _ in 0..<3 { try pool.fail(worker, .hung) } }
    #expect(pool.up == [false, false, true, true])
    #expect(pool.set(path: "/run/w2.sock", admin: .drain))
    #expect(pool.up == [true, false, true, true])
    #expect(pool.set(path: "/run/w3.sock", admin: .maint))
    #expect(pool.up == [true, false, true, true])
    _ = pool.scan([TestPool.sockets(4)[1]])
    #expect(pool.pool.snapshot.first { $0.isPresent }?.isUp == true)
  }

  @Test func `a worker that is down is probed after a while, by one client at a time`() throws {
    let pool = TestPool(2)
    for _ in 0..<3 { try pool.fail(0, .hung) }
    pool.advance(.milliseconds(1999))
    #expect(try pool.choose().isProbe == false)
    pool.advance(.milliseconds(1))
    let probe = try pool.choose()
    #expect(probe.isProbe && probe.path == "/run/w0.sock")
    #expect(try pool.choose().isProbe == false)
  }

  @Test func `rise answers in a row bring it back`() throws {
    let pool = TestPool(2)
    for _ in 0..<3 { try pool.fail(0, .hung) }
    pool.advance(.seconds(2))
    for round in 0..<2 {
      #expect(pool.up == [false, true], "round \(round)")
      let probe = try pool.choose()
      #expect(probe.isProbe)
      pool.pool.answered(probe.worker, now: pool.now)
    }
    #expect(pool.up == [true, true])
  }

  @Test func `each probe that fails doubles the wait, up to a minute`() throws {
    let pool = TestPool(2)
    for _ in 0..<3 { try pool.fail(0, .hung) }
    for wait in [2, 4, 8, 16, 32, 60, 60] {
      pool.advance(.seconds(wait) - .nanoseconds(1))
      #expect(try pool.choose().isProbe == false)
      pool.advance(.nanoseconds(1))
      let probe = try pool.choose()
      #expect(probe.isProbe)
      pool.pool.failed(probe.worker, .refused, now: pool.now)
    }
  }

  @Test func `failures of attempts from before it went down do not lengthen the wait`() throws {
    let pool = TestPool(2)
    for _ in 0..<100 { try pool.fail(0, .hung) }
    pool.advance(.seconds(2))
    #expect(try pool.choose().isProbe)
  }

  @Test func `a failed check may take out every worker, and only a check brings it back`() throws {
    let pool = TestPool(2)
    for worker in pool.ids { for _ in 0..<3 { pool.pool.healthCheck(worker, passed: false, now: pool.now) } }
    #expect(pool.attempt() == nil)
    pool.advance(.seconds(600))
    #expect(pool.attempt() == nil)
    pool.pool.answered(pool.ids[0], now: pool.now)
    pool.pool.answered(pool.ids[0], now: pool.now)
    #expect(pool.up == [false, false])
    for _ in 0..<2 { pool.pool.healthCheck(pool.ids[0], passed: true, now: pool.now) }
    #expect(pool.up == [true, false])
  }

  @Test func `where checks end, what they took out is back, and what clients took out is not`() throws {
    let pool = TestPool(4)
    for _ in 0..<3 { pool.pool.healthCheck(pool.ids[0], passed: false, now: pool.now) }
    for _ in 0..<3 { try pool.fail(1, .hung) }
    #expect(pool.up == [false, false, true, true])
    pool.pool.endHealthChecks()
    #expect(pool.up == [true, false, true, true])
  }

  @Test func `checks and clients count together`() throws {
    let pool = TestPool(2)
    for _ in 0..<2 { try pool.fail(0, .hung) }
    pool.pool.healthCheck(pool.ids[0], passed: false, now: pool.now)
    #expect(pool.up == [false, true])
  }

  @Test(arguments: ConnectFailure.allCases)
  func `a failure gives the client's place back`(failure: ConnectFailure) throws {
    let pool = TestPool(1)
    let choice = try pool.choose()
    pool.pool.failed(choice.worker, failure, now: pool.now)
    #expect(pool.loads == [0])
  }

  @Test(
    arguments: [
      (ConnectFailure.backlogFull, .nextWorkerOrLater), (.refused, .nextWorker), (.missing, .nextWorker),
      (.endedEarly, .nextWorker),
      (.hung, .giveUp), (.edgeExhausted, .giveUp),
    ] as [(ConnectFailure, ConnectFailure.Retry)])
  func `each failure says what to do for the client`(failure: ConnectFailure, retry: ConnectFailure.Retry) {
    #expect(failure.retry == retry)
  }
}
