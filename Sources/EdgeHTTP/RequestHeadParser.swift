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

  init(parsing line: Span<UInt8>) throws(HTTPParseError) {
    let space = UInt8(ascii: " ")
    var methodEnd = 0
    while methodEnd < line.count, ASCII.isTokenCharacter(line[methodEnd]) { methodEnd += 1 }
    guard methodEnd > 0, methodEnd == line.count || line[methodEnd] == space else { throw .method }
    let rest = line.extracting(droppingFirst: methodEnd + 1)
    guard let targetEnd = rest.firstIndex(of: space) else { throw .requestLine }
    let afterTarget = rest.extracting(droppingFirst: targetEnd + 1)
    guard afterTarget.firstIndex(of: space) == nil else { throw .requestLine }
    version = try HTTPVersion(parsing: afterTarget)
    method = String(utf8: line.extracting(first: methodEnd))
    guard methodEnd <= maxMethodBytes, method != "CONNECT", method != "TRACE" else { throw .methodNotImplemented }
    target = try ReceivedTarget(parsing: rest.extracting(first: targetEnd), method: method)
  }

  func head(with fields: HTTPFields) throws(HTTPParseError) -> RequestHead {
    RequestHead(
      method: method, target: target.target, version: version, authority: try authority(named: fields.sole("Host")),
      fields: fields, bodyFraming: try BodyFraming(announcedBy: fields, version: version))
  }

  /// The one host that target and Host field agree on (RFC 9112 §3.2).
  private func authority(named host: SoleValue) throws(HTTPParseError) -> Authority? {
    switch host {
    case .absent:
      guard version == .http10 else { throw .hostMissing }
      return target.origin?.authority
    case .once(let text):
      let authority = try Authority(parsing: text)
      guard target.origin?.agrees(with: authority) ?? true else { throw .hostMismatch }
      return authority
    case .repeated: throw .hostRepeated
    }
  }
}

extension HTTPVersion {
  /// Reads `HTTP/1.0` or `HTTP/1.1` (RFC 9112 §2.3).
  init(parsing bytes: Span<UInt8>) throws(HTTPParseError) {
    guard bytes.count == 8, bytes.extracting(first: 5).equals("HTTP/".utf8.span), ASCII.isDigit(bytes[5]),
      bytes[6] == UInt8(ascii: "."), ASCII.isDigit(bytes[7])
    else { throw .version }
    switch (bytes[5], bytes[7]) {
    case (UInt8(ascii: "1"), UInt8(ascii: "0")): self = .http10
    case (UInt8(ascii: "1"), UInt8(ascii: "1")): self = .http11
    default: throw .versionNotSupported
    }
  }
}

/// The longest registered method has 17.
let maxMethodBytes = 32
