public import EdgeCore

/// What a proxy in front says of a connection before its first byte: the PROXY protocol, version 1 and 2
/// (HAProxy's proxy-protocol.txt, sections 2.1 and 2.2).
public enum ProxyHeader: Hashable, Sendable {
  /// The proxy carries a client that came from here.
  case client(PeerAddress)
  /// The proxy speaks for itself, as in a health check, or does not know who the client is.
  case proxyItself

  /// How far the first bytes of a connection tell.
  public enum Reading: Hashable, Sendable {
    /// They may become a header.
    case needMore
    /// They are something else.
    case absent
    /// They begin with a header of so many bytes.
    case header(ProxyHeader, length: Int)
  }

  /// The longest header that is read, in bytes: version 2 allows 65,551, of which addresses take at most 232; the rest are
  /// extensions, which are skipped.
  public static let maxBytes = 4_096

  /// Reads the header, if `bytes` begin with one.
  ///
  /// - Parameter bytes: the first bytes of a connection, from its very beginning on.
  /// - Throws: `ProxyHeaderError`; the connection cannot be used.
  public static func read(_ bytes: Span<UInt8>) throws(ProxyHeaderError) -> Reading {
    if bytes.begins(with: signature) { return try readBinary(bytes) }
    if bytes.begins(with: textBeginning) { return try readText(bytes) }
    let mayBecome = bytes.mayBecome(signature) || bytes.mayBecome(textBeginning)
    return mayBecome ? .needMore : .absent
  }
}

/// Why a PROXY header cannot be read; the raw value is the word of logs.
public enum ProxyHeaderError: String, Error, CaseIterable, Sendable {
  /// It is longer than `ProxyHeader.maxBytes`, or than 107 bytes in version 1.
  case tooLong = "proxy_header_too_long"
  /// It breaks the rules of its version.
  case malformed = "proxy_header_malformed"
  /// It tells of something other than a stream over IPv4, IPv6 or a Unix socket.
  case unsupported = "proxy_header_unsupported"
}

// MARK: Version 1

private let textBeginning = Array("PROXY ".utf8)
private let maxTextBytes = 107

extension ProxyHeader {
  /// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443` and an end of line (section 2.1).
  private static func readText(_ bytes: Span<UInt8>) throws(ProxyHeaderError) -> Reading {
    guard let end = (0..<min(bytes.count, maxTextBytes)).first(where: { bytes[$0] == UInt8(ascii: "\n") }) else {
      guard bytes.count < maxTextBytes else { throw .tooLong }
      return .needMore
    }
    guard bytes[end - 1] == UInt8(ascii: "\r") else { throw .malformed }
    var line: [UInt8] = []
    for index in textBeginning.count..<(end - 1) { line.append(bytes[index]) }
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    return .header(try header(of: words), length: end + 1)
  }

  private static func header(of words: [String]) throws(ProxyHeaderError) -> ProxyHeader {
    // What follows the word is to be ignored.
    if words.first == "UNKNOWN" { return .proxyItself }
    guard words.count == 5, let source = IPAddress(words[1]), let destination = IPAddress(words[2]), let port = port(words[3]),
      Self.port(words[4]) != nil
    else { throw .malformed }
    switch words[0] {
    case "TCP4": guard isIPv4(words[1]), isIPv4(words[2]), source.isIPv4, destination.isIPv4 else { throw .malformed }
    case "TCP6": guard !isIPv4(words[1]), !isIPv4(words[2]) else { throw .malformed }
    default: throw .unsupported
    }
    return .client(.ip(source, port: port))
  }

  private static func isIPv4(_ text: String) -> Bool { !text.utf8.contains(UInt8(ascii: ":")) }

  private static func port(_ text: String) -> UInt16? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy(ASCII.isDigit),
      text == "0" || text.utf8.first != UInt8(ascii: "0")
    else { return nil }
    return UInt16(text)
  }
}

// MARK: Version 2

private let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
private let fixedBytes = 16

extension ProxyHeader {
  /// Signature, version and command, family and protocol, length; then addresses and extensions (section 2.2).
  private static func readBinary(_ bytes: Span<UInt8>) throws(ProxyHeaderError) -> Reading {
    guard bytes.count >= fixedBytes else { return .needMore }
    let length = fixedBytes + bytes.number(at: 14)
    guard length <= maxBytes else { throw .tooLong }
    guard bytes[12] >> 4 == 2 else { throw .malformed }
    guard bytes.count >= length else { return .needMore }
    switch bytes[12] & 0x0f {
    case 0: return .header(.proxyItself, length: length)
    case 1: return .header(try source(in: bytes.extracting(first: length)), length: length)
    default: throw .malformed
    }
  }

  private static func source(in bytes: Span<UInt8>) throws(ProxyHeaderError) -> ProxyHeader {
    switch bytes[13] {
    case 0x00: return .proxyItself
    case 0x11:
      guard bytes.count >= fixedBytes + 12 else { throw .malformed }
      var address: UInt32 = 0
      for index in 0..<4 { address = address << 8 | UInt32(bytes[fixedBytes + index]) }
      return .client(.ip(IPAddress(v4: address), port: UInt16(bytes.number(at: fixedBytes + 8))))
    case 0x21:
      guard bytes.count >= fixedBytes + 36 else { throw .malformed }
      var halves: (UInt64, UInt64) = (0, 0)
      for index in 0..<8 {
        halves.0 = halves.0 << 8 | UInt64(bytes[fixedBytes + index])
        halves.1 = halves.1 << 8 | UInt64(bytes[fixedBytes + 8 + index])
      }
      return .client(.ip(IPAddress(high: halves.0, low: halves.1), port: UInt16(bytes.number(at: fixedBytes + 32))))
    case 0x31:
      guard bytes.count >= fixedBytes + 216 else { throw .malformed }
      return .client(.unix)
    default: throw .unsupported
    }
  }
}

extension Span<UInt8> {
  fileprivate func begins(with prefix: [UInt8]) -> Bool {
    count >= prefix.count && prefix.indices.allSatisfy { self[$0] == prefix[$0] }
  }

  /// Whether more bytes could make this begin with `prefix`.
  fileprivate func mayBecome(_ prefix: [UInt8]) -> Bool {
    count < prefix.count && (0..<count).allSatisfy { self[$0] == prefix[$0] }
  }

  /// Two bytes, the greater first.
  fileprivate func number(at index: Int) -> Int {
    Int(self[index]) << 8 | Int(self[index + 1])
  }
}
