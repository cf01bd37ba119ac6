internal import EdgeCore

/// How the end of a body is found (RFC 9112 §6.3).
public enum BodyFraming: Hashable, Sendable {
  /// There is no body.
  case none
  /// Exactly that many bytes; at most `Int64.max`.
  case length(UInt64)
  /// In chunks.
  case chunked
  /// Everything until the sender closes: a response, or what a stream of HTTP/2 carries.
  case untilClose
}

extension BodyFraming {
  /// What Content-Length and Transfer-Encoding say, strictly: any doubt is an error (RFC 9112 §6.1, §6.2, §11.2).
  ///
  /// - Returns: `.none` when neither field is there.
  init(announcedBy fields: HTTPFields, version: HTTPVersion) throws(HTTPParseError) {
    switch (fields.sole("Content-Length"), fields.sole("Transfer-Encoding")) {
    case (.absent, .absent): self = .none
    case (.once(let length), .absent): self = .length(try parseContentLength(length))
    case (.absent, .once(let coding)):
      guard version != .http10, !coding.isEmpty else { throw .transferEncodingInvalid }
      guard ASCII.equalIgnoringCase(coding, "chunked") else { throw .transferEncodingNotImplemented }
      self = .chunked
    case (.absent, .repeated): throw .transferEncodingInvalid
    case (.repeated, .absent): throw .contentLengthRepeated
    case (.once, .once), (.once, .repeated), (.repeated, .once), (.repeated, .repeated):
      throw .contentLengthWithTransferEncoding
    }
  }
}

private func parseContentLength(_ text: String) throws(HTTPParseError) -> UInt64 {
  guard !text.isEmpty, text.utf8.allSatisfy(ASCII.isDigit) else { throw .contentLengthInvalid }
  var length: UInt64 = 0
  for digit in text.utf8 {
    length = length * 10 + UInt64(digit - UInt8(ascii: "0"))
    guard length <= maxCountableLength else { throw .contentTooLarge }
  }
  return length
}

/// Ten times this plus nine still fits; no body comes near it.
private let maxCountableLength: UInt64 = 1 << 60
