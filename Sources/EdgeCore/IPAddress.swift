/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is the IPv4 address it maps.
public struct IPAddress: Hashable, Sendable {
  /// The upper 64 bits of the IPv6 form, in host order.
  public let high: UInt64
  /// The lower 64 bits of the IPv6 form, in host order.
  public let low: UInt64

  /// Makes an address from the two halves of its 128-bit form.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Makes an IPv4 address from its 32 bits in host order.
  public init(v4 bits: UInt32) {
    self.init(high: 0, low: ipv4MappedPrefix | UInt64(bits))
  }

  /// Reads dotted-quad or RFC 4291 text, without port, brackets or zone.
  public init?(_ text: some StringProtocol) {
    if let bits = parseIPv4(text.utf8) {
      self.init(v4: bits)
    } else if let (high, low) = parseIPv6(text.utf8) {
      self.init(high: high, low: low)
    } else {
      return nil
    }
  }

  /// Whether this is an IPv4 address.
  public var isIPv4: Bool { high == 0 && low & ~0xffff_ffff == ipv4MappedPrefix }

  /// Whether this is 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    isIPv4 ? (low >> 24) & 0xff == 127 : high == 0 && low == 1
  }

  /// Whether this is 0.0.0.0 or ::, where a listener hears every address of its machine.
  public var isUnspecified: Bool {
    high == 0 && (low == 0 || low == ipv4MappedPrefix)
  }

  /// The address with all bits after the first `prefixBits` cleared; the count is of the address's own family (at most 32 or 128).
  public func masked(prefixBits: Int) -> IPAddress {
    let bits = min(128, max(0, isIPv4 ? prefixBits + 96 : prefixBits))
    let highMask: UInt64 = bits >= 64 ? .max : ~(bits == 0 ? .max : UInt64.max >> UInt64(bits))
    let lowMask: UInt64 = bits <= 64 ? 0 : ~(bits == 128 ? 0 : UInt64.max >> UInt64(bits - 64))
    return IPAddress(high: high & highMask, low: low & lowMask)
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted-quad text, or the canonical IPv6 text of RFC 5952.
  public var description: String {
    guard !isIPv4 else { return dottedQuad }
    let groups = (0..<8).map { group in
      UInt16(truncatingIfNeeded: (group < 4 ? high : low) >> UInt64(48 - 16 * (group % 4)))
    }
    let zeros = longestZeroRun(groups)
    let hex = { (range: Range<Int>) in range.map { String(groups[$0], radix: 16) }.joined(separator: ":") }
    return zeros.isEmpty ? hex(0..<8) : hex(0..<zeros.lowerBound) + "::" + hex(zeros.upperBound..<8)
  }
}

extension IPAddress {
  /// At most 15 bytes, which a `String` holds within itself.
  private var dottedQuad: String {
    var text: [UInt8] = []
    text.append(addingCapacity: 15) { text in
      for index: UInt64 in 0..<4 {
        let octet = UInt8(truncatingIfNeeded: low >> (24 - 8 * index))
        if index > 0 { text.append(UInt8(ascii: ".")) }
        if octet >= 100 { text.append(UInt8(ascii: "0") + octet / 100) }
        if octet >= 10 { text.append(UInt8(ascii: "0") + octet / 10 % 10) }
        text.append(UInt8(ascii: "0") + octet % 10)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// A block of addresses in CIDR notation (RFC 4632), such as `10.0.0.0/8` or `2001:db8::/32`.
public struct CIDR: Hashable, Sendable, CustomStringConvertible {
  /// The first address of the block.
  public let network: IPAddress
  /// The prefix length in bits of the network's own family.
  public let prefixBits: Int

  /// Makes the block of `prefixBits` that holds `address`.
  public init(_ address: IPAddress, prefixBits: Int) {
    self.prefixBits = min(max(0, prefixBits), address.isIPv4 ? 32 : 128)
    network = address.masked(prefixBits: self.prefixBits)
  }

  /// Reads `address/prefix`, or a bare address as a block of one.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
    let widest = address.isIPv4 ? 32 : 128
    guard parts.count == 2 else {
      self.init(address, prefixBits: widest)
      return
    }
    guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let bits = Int(parts[1]), bits <= widest else { return nil }
    self.init(address, prefixBits: bits)
  }

  /// Whether `address` lies in the block; an address of the other family does not.
  public func contains(_ address: IPAddress) -> Bool {
    address.isIPv4 == network.isIPv4 && address.masked(prefixBits: prefixBits) == network
  }

  /// `address/prefix`.
  public var description: String { "\(network)/\(prefixBits)" }
}

/// Where a connection comes from.
public enum PeerAddress: Hashable, Sendable, CustomStringConvertible {
  /// A TCP peer.
  case ip(IPAddress, port: UInt16)
  /// A peer on a Unix socket, which has no address.
  case unix

  /// The IP address, if there is one.
  public var ip: IPAddress? {
    switch self {
    case .ip(let address, port: _): address
    case .unix: nil
    }
  }

  /// `1.2.3.4:567`, `[2001:db8::1]:567` or `unix`.
  public var description: String {
    switch self {
    case .ip(let address, let port): address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    case .unix: "unix"
    }
  }
}

private func longestZeroRun(_ groups: [UInt16]) -> Range<Int> {
  var best = 0..<0
  var start = 0
  for index in 0...8 where index == 8 || groups[index] != 0 {
    if index - start > max(1, best.count) { best = start..<index }
    start = index + 1
  }
  return best
}

private func parseIPv4(_ text: some Collection<UInt8>) -> UInt32? {
  let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
  guard parts.count == 4 else { return nil }
  var bits: UInt32 = 0
  for part in parts {
    guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
    var value: UInt32 = 0
    for byte in part {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + UInt32(byte - 0x30)
    }
    guard value <= 255 else { return nil }
    bits = bits << 8 | value
  }
  return bits
}

private func parseIPv6(_ text: some Collection<UInt8>) -> (UInt64, UInt64)? {
  let bytes = Array(text)
  guard (2...45).contains(bytes.count) else { return nil }
  var groups: [UInt16] = []
  var gap: Int?
  var index = 0
  if bytes[0] == colon {
    guard bytes[1] == colon else { return nil }
    gap = 0
    index = 2
  }
  while index < bytes.count {
    let end = bytes[index...].firstIndex(of: colon) ?? bytes.count
    let part = bytes[index..<end]
    if part.contains(UInt8(ascii: ".")) {
      guard end == bytes.count, groups.count <= 6, let bits = parseIPv4(part) else { return nil }
      groups += [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
    } else {
      guard let group = parseHexGroup(part), groups.count < 8 else { return nil }
      groups.append(group)
    }
    guard end < bytes.count else { break }
    index = end + 1
    guard index < bytes.count else { return nil }
    if bytes[index] == colon {
      guard gap == nil else { return nil }
      gap = groups.count
      index += 1
    }
  }
  if let gap {
    guard groups.count < 8 else { return nil }
    groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
  }
  guard groups.count == 8 else { return nil }
  let half = { (range: Range<Int>) in groups[range].reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
  return (half(0..<4), half(4..<8))
}

private func parseHexGroup(_ part: ArraySlice<UInt8>) -> UInt16? {
  guard (1...4).contains(part.count) else { return nil }
  var value: UInt16 = 0
  for byte in part {
    guard let digit = ASCII.hexDigit(byte) else { return nil }
    value = value << 4 | UInt16(digit)
  }
  return value
}

private let ipv4MappedPrefix: UInt64 = 0xffff_0000_0000
private let colon = UInt8(ascii: ":")
