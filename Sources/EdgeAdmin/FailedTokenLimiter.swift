internal import EdgeCore

/// Slows down guessing: an address that showed too many wrong tokens is not heard for a while. Its memory is bounded.
struct FailedTokenLimiter {
  private struct Entry {
    var failures: Int
    var forgotten: Instant
  }

  /// The key nil is for peers without an address and, together, for all those the table had no room for.
  private var entries: [IPAddress?: Entry] = [:]

  /// How long the address must wait, if it must.
  func wait(_ address: IPAddress?, now: Instant) -> Duration? {
    guard let entry = entries[key(address)], entry.failures >= maxFailures, now < entry.forgotten else { return nil }
    return entry.forgotten - now
  }

  /// Notes a wrong token.
  mutating func failed(_ address: IPAddress?, now: Instant) {
    if entries.count >= maxAddresses { entries = entries.filter { now < $0.value.forgotten } }
    let key = key(address)
    let earlier = entries[key].flatMap { now < $0.forgotten ? $0.failures : nil } ?? 0
    entries[key] = Entry(failures: earlier + 1, forgotten: now + memory)
  }

  private func key(_ address: IPAddress?) -> IPAddress? {
    guard let address else { return nil }
    let network = address.isIPv4 ? address : address.masked(prefixBits: 64)
    return entries[network] != nil || entries.count < maxAddresses ? network : nil
  }
}

private let maxFailures = 10
private let memory = Duration.seconds(60)
private let maxAddresses = 1_024
