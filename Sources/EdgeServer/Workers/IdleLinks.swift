import EdgeCore

/// The worker connections of one reactor that wait for another request, newest first. Bounded for each worker.
final class IdleLinks {
  private var links: [PoolWorker: [WorkerLink]] = [:]

  /// How many may wait for one worker.
  static let maxPerWorker = 32
  /// How long one waits: less than the keep-alive of common servers (node: 5 s), so that it is rarely the worker that ends it.
  static let restTime = Duration.seconds(4)

  /// Keeps a link, unless enough of them wait already; a link that is not kept is closed.
  func keep(_ link: WorkerLink, now: Instant) {
    guard links[link.worker, default: []].count < Self.maxPerWorker else { return link.close() }
    links[link.worker, default: []].append(link)
    link.rest(until: now + Self.restTime)
  }

  /// A link to the worker that is ready for a request, if one waits. Those on which the worker has said something, or ended,
  /// are closed: it would pass for the answer to the next request.
  func take(_ worker: PoolWorker) -> WorkerLink? {
    while let link = links[worker]?.popLast() {
      if links[worker]?.isEmpty == true { links[worker] = nil }
      if link.isQuiet { return link }
      link.close()
    }
    return nil
  }

  /// Closes every link: the reactor ends, and a link holds what all of the reactor's connections share.
  func closeAll() {
    for link in links.values.joined() { link.close() }
  }

  /// Forgets a link that has ended.
  func remove(_ link: WorkerLink) {
    guard links[link.worker] != nil else { return }
    links[link.worker]?.removeAll { $0 === link }
    if links[link.worker]?.isEmpty == true { links[link.worker] = nil }
  }
}
