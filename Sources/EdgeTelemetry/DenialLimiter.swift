public import EdgeCore

/// Lets one address's denials into the log at most once per interval, and counts the others. A flood cannot fill the
/// log or the table.
public struct DenialLimiter: Sendable {
  /// What to do about one denial.
  public enum Verdict: Equatable, Sendable {
    /// Write its line; `suppressed` denials of the same address went without one since the line before.
    case log(suppressed: UInt64)
    /// Write nothing: it was counted.
    case suppress
  }

  /// Denials that got no line of their own, of an address that has gone quiet.
  public struct Summary: Equatable, Sendable {
    /// The address; nil stands for peers without one and for all those the table had no room for.
    public let address: IPAddress?
    /// How many.
    public let suppressed: UInt64
  }

  private struct Entry {
    var nextLine: Instant
    var suppressed: UInt64 = 0
  }

  private let interval: Duration
  private let maxAddresses: Int
  /// The key nil is shared by peers on Unix sockets and all addresses that found the table full.
  private var entries: [IPAddress?: Entry] = [:]

  /// Makes a limiter that remembers at most `maxAddresses` addresses, one line for each per `interval`.
  public init(interval: Duration = .seconds(1), maxAddresses: Int = 4_096) {
    self.interval = interval
    self.maxAddresses = maxAddresses
  }

  /// Judges one denial; `address` is nil for a peer on a Unix socket.
  public mutating func judge(_ address: IPAddress?, now: Instant) -> Verdict {
    let key = entries[address] != nil || entries.count < maxAddresses ? address : nil
    var entry = entries[key] ?? Entry(nextLine: now)
    defer { entries[key] = entry }
    guard now >= entry.nextLine else {
      entry.suppressed += 1
      return .suppress
    }
    let suppressed = entry.suppressed
    entry = Entry(nextLine: now + interval)
    return .log(suppressed: suppressed)
  }

  /// Gives the counts that no later line of theirs told, of addresses whose interval is over, and forgets addresses
  /// that are quiet.
  ///
  /// Call it once per interval. A summary is a line too, so the address's next one waits for another interval.
  public mutating func takeExpired(now: Instant) -> [Summary] {
    var summaries: [Summary] = []
    for (address, entry) in entries where now >= entry.nextLine {
      guard entry.suppressed > 0 else {
        entries[address] = nil
        continue
      }
      summaries.append(Summary(address: address, suppressed: entry.suppressed))
      entries[address] = Entry(nextLine: now + interval)
    }
    return summaries
  }
}
