internal import EdgeCore

/// Reads a worker's answers, head by head, as strictly as requests (RFC 9112 §4).
///
/// Interim answers (1xx) come out like any other; the final one to the same request follows.
public struct ResponseHeadParser: ~Copyable, Sendable {
  private var reader: HeadReader<StatusLine>

  /// Makes a parser that waits for an answer.
  public init(limits: HeadLimits = HeadLimits()) {
    reader = HeadReader(limits: limits)
  }

  /// Whether part of a head has come.
  public var hasPartialHead: Bool { reader.hasBegun }

  /// Takes bytes up to the end of the head.
  ///
  /// - Parameter bytes: what came after the bytes of the last call, beginning where a head may begin.
  /// - Returns: the head, or that more is needed. After a head the parser is ready for the next one.
  /// - Throws: what is wrong. The worker's connection is lost and the client gets 502; later calls throw the same.
  public mutating func receive(_ bytes: Span<UInt8>) throws(HTTPParseError) -> HeadProgress<ResponseHead> {
    try reader.receive(bytes)
  }
}

/// `version SP status SP reason`. The space before an empty reason may be missing, as some servers have it.
private struct StatusLine: StartLine {
  static var tooLong: HTTPParseError { .fieldLineTooLong }
  static var leadingEmptyLines: Int { 0 }

  private let version: HTTPVersion
  private let status: Int
  private let reason: String

  init(parsing line: Span<UInt8>) throws(HTTPParseError) {
    let space = UInt8(ascii: " ")
    guard let versionEnd = line.firstIndex(of: space) else { throw .statusLine }
    let rest = line.extracting(droppingFirst: versionEnd + 1)
    let digits = rest.extracting(first: rest.firstIndex(of: space) ?? rest.count)
    guard digits.count == 3 else { throw .statusLine }
    var status = 0
    for index in digits.indices {
      guard ASCII.isDigit(digits[index]) else { throw .statusLine }
      status = status * 10 + Int(digits[index] - UInt8(ascii: "0"))
    }
    version = try HTTPVersion(parsing: line.extracting(first: versionEnd))
    guard (100...599).contains(status) else { throw .statusLine }
    self.status = status
    reason = String(latin1: rest.extracting(droppingFirst: digits.count + 1))
  }

  func head(with fields: HTTPFields) throws(HTTPParseError) -> ResponseHead {
    ResponseHead(status: status, reason: reason, version: version, fields: fields)
  }
}
