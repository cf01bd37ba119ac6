internal import EdgeCore

/// Reads a client's requests, head by head, strictly (RFC 9112 §2, §3, §5).
///
/// Input may be split anywhere: the parser keeps what it has, at most `HeadLimits.maxHeadBytes`, and nothing between heads.
/// A mistake is reported as soon as its line is whole (controls, line endings and lengths at once).
public struct RequestHeadParser: ~Copyable, Sendable {
  private var reader: HeadReader<RequestLine>

  /// Makes a parser that waits for a request.
  public init(limits: HeadLimits = HeadLimits()) {
    reader = HeadReader(limits: limits)
  }

  /// Whether part of a head has come: then the deadline for a whole head runs, not the one for idle connections.
  public var hasPartialHead: Bool { reader.hasBegun }

  /// Takes bytes up to the end of the head.
  ///
  /// - Parameter bytes: what came after the bytes of the last call, beginning where a head may begin.
  /// - Returns: the head, or that more is needed. After a head the parser is ready for the next one.
  /// - Throws: what is wrong. Answer with its `status` and close; later calls throw the same.
  public mutating func receive(_ bytes: Span<UInt8>) throws(HTTPParseError) -> HeadProgress<RequestHead> {
    try reader.receive(bytes)
  }
}

/// `method SP target SP version` (RFC 9112 §3).
private struct RequestLine: StartLine {
  static var tooLong: HTTPParseError { .requestLineTooLong }
  /// Some clients end a body with a CRLF too many (RFC 9112 §2.2).
  static var leadingEmptyLines: Int { 1 }

  private let method: String
  private let target: ReceivedTarget
  private let version: HTTPVersion

  init(parsing line: [UInt8]) throws(HTTPParseError) {
    let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
    guard let first = parts.first, !first.isEmpty, first.allSatisfy(ASCII.isTokenCharacter) else { throw .method }
    guard parts.count == 3 else { throw .requestLine }
    version = try HTTPVersion(parsing: parts[2])
    method = String(latin1: first)
    guard method.utf8.count <= maxMethodBytes, method != "CONNECT", method != "TRACE" else { throw .methodNotImplemented }
    target = try ReceivedTarget(parsing: parts[1], method: method)
  }

  func head(with fields: HTTPFields) throws(HTTPParseError) -> RequestHead {
    RequestHead(
      method: method, target: target.target, version: version, authority: try authority(named: fields.all("Host")),
      fields: fields, bodyFraming: try BodyFraming(announcedBy: fields, version: version))
  }

  /// The one host that target and Host field agree on (RFC 9112 §3.2).
  private func authority(named hosts: [String]) throws(HTTPParseError) -> Authority? {
    guard hosts.count <= 1 else { throw .hostRepeated }
    guard let host = hosts.first else {
      guard version == .http10 else { throw .hostMissing }
      return target.origin?.authority
    }
    let authority = try Authority(parsing: host)
    guard let origin = target.origin else { return authority }
    guard origin.agrees(with: authority) else { throw .hostMismatch }
    return authority
  }
}

extension HTTPVersion {
  /// Reads `HTTP/1.0` or `HTTP/1.1` (RFC 9112 §2.3).
  init(parsing bytes: ArraySlice<UInt8>) throws(HTTPParseError) {
    let text = String(latin1: bytes)
    if let version = HTTPVersion(rawValue: text) {
      self = version
      return
    }
    let digits = Array(bytes.dropFirst(5))
    guard text.hasPrefix("HTTP/"), digits.count == 3, ASCII.isDigit(digits[0]), digits[1] == UInt8(ascii: "."),
      ASCII.isDigit(digits[2])
    else { throw .version }
    throw .versionNotSupported
  }
}

/// The longest registered method has 17.
private let maxMethodBytes = 32
