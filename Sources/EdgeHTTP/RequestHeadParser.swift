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
    let space = UInt8(ascii: " ")
    let token = line.prefix(while: ASCII.isTokenCharacter)
    guard !token.isEmpty, token.endIndex == line.endIndex || line[token.endIndex] == space else { throw .method }
    let rest = line[token.endIndex...].dropFirst()
    guard let targetEnd = rest.firstIndex(of: space) else { throw .requestLine }
    let afterTarget = rest[(targetEnd + 1)...]
    guard !afterTarget.contains(space) else { throw .requestLine }
    version = try HTTPVersion(parsing: afterTarget)
    method = String(latin1: token)
    guard method.utf8.count <= maxMethodBytes, method != "CONNECT", method != "TRACE" else { throw .methodNotImplemented }
    target = try ReceivedTarget(parsing: rest[..<targetEnd], method: method)
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
    let digits = bytes.dropFirst(5)
    guard bytes.starts(with: "HTTP/".utf8), digits.count == 3, let major = digits.first, let minor = digits.last,
      ASCII.isDigit(major), digits[digits.startIndex + 1] == UInt8(ascii: "."), ASCII.isDigit(minor)
    else { throw .version }
    switch (major, minor) {
    case (UInt8(ascii: "1"), UInt8(ascii: "0")): self = .http10
    case (UInt8(ascii: "1"), UInt8(ascii: "1")): self = .http11
    default: throw .versionNotSupported
    }
  }
}

/// The longest registered method has 17.
let maxMethodBytes = 32
