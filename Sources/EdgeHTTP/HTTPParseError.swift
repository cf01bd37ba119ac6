/// What is wrong with a head or a body. The connection that carried it cannot be read any further.
///
/// Each case has the status to answer a client with; when a worker made the mistake, its client gets 502 whatever the case.
/// The raw value is the word for logs and metrics.
public enum HTTPParseError: String, Error, Hashable, Sendable, CaseIterable {
  // Lines and limits (RFC 9112 §2, §5)
  /// A CR without LF, or an LF without CR.
  case lineEnding = "line_ending"
  /// A control byte other than a tab.
  case controlByte = "control_byte"
  /// The request line is longer than `HeadLimits.maxLineBytes`.
  case requestLineTooLong = "request_line_too_long"
  /// A status line, a field line or a trailer line is longer than `HeadLimits.maxLineBytes`.
  case fieldLineTooLong = "field_line_too_long"
  /// More fields than `HeadLimits.maxFieldCount`.
  case tooManyFields = "too_many_fields"
  /// The whole head or trailer section is longer than `HeadLimits.maxHeadBytes`.
  case headTooLarge = "head_too_large"
  // Start lines (RFC 9112 §3, §4)
  /// Not `method SP target SP version`.
  case requestLine = "request_line"
  /// The method is not a token.
  case method
  /// `CONNECT`, `TRACE`, or a method longer than any in use.
  case methodNotImplemented = "method_not_implemented"
  /// Not `HTTP/` and two digits around a dot.
  case version
  /// A version other than 1.0 and 1.1.
  case versionNotSupported = "version_not_supported"
  /// Not `version SP three digits SP reason`.
  case statusLine = "status_line"
  // Fields (RFC 9112 §5)
  /// A line that begins with white space: an obsolete line folding.
  case lineFolding = "line_folding"
  /// A field name that is empty, not a token, followed by white space, or without a colon.
  case fieldName = "field_name"
  // Fields of HTTP/2 (RFC 9113 §8.2, §8.3)
  /// A field name with an upper-case letter.
  case fieldNameCase = "field_name_case"
  /// White space at an end of a value.
  case fieldValueSpace = "field_value_space"
  /// A field about a connection of HTTP/1.1, or a TE other than `trailers`.
  case connectionField = "connection_field"
  /// A pseudo-header field that nobody knows, or that is repeated, missing, or out of place.
  case pseudoField = "pseudo_field"
  /// A scheme other than http and https.
  case schemeInvalid = "scheme_invalid"
  /// A CONNECT for something other than a WebSocket (RFC 8441).
  case protocolNotImplemented = "protocol_not_implemented"
  // Target (RFC 9112 §3.2, RFC 3986)
  /// Neither origin-form, absolute-form with http or https, nor `*` with OPTIONS.
  case targetForm = "target_form"
  /// A byte that may not stand in a path, such as a backslash or a raw byte beyond ASCII.
  case pathCharacter = "path_character"
  /// A `%` without two hexadecimal digits, or escapes that are not UTF-8.
  case pathEscape = "path_escape"
  /// `%2F` or `%5C`.
  case pathEncodedSeparator = "path_encoded_separator"
  /// `%00` or another escaped control byte.
  case pathEncodedControl = "path_encoded_control"
  /// A `.` or `..` segment, plain or escaped.
  case pathDotSegment = "path_dot_segment"
  /// Two slashes in a row.
  case pathEmptySegment = "path_empty_segment"
  /// A `;` in the path: what follows is part of the name to some servers, and nothing to others.
  case pathParameter = "path_parameter"
  /// A byte that may not stand in a query.
  case queryCharacter = "query_character"
  /// A `#` in the target.
  case fragment
  // Host (RFC 9112 §3.2)
  /// HTTP/1.1 without Host.
  case hostMissing = "host_missing"
  /// More than one Host field.
  case hostRepeated = "host_repeated"
  /// Not a host with an optional port.
  case hostInvalid = "host_invalid"
  /// An absolute-form target and a Host that differ.
  case hostMismatch = "host_mismatch"
  // Framing (RFC 9112 §6)
  /// A Content-Length that is not one row of digits.
  case contentLengthInvalid = "content_length_invalid"
  /// More than one Content-Length.
  case contentLengthRepeated = "content_length_repeated"
  /// Content-Length together with Transfer-Encoding.
  case contentLengthWithTransferEncoding = "content_length_with_transfer_encoding"
  /// A body of HTTP/2 that is longer or shorter than announced.
  case contentLengthMismatch = "content_length_mismatch"
  /// A length that no machine can count.
  case contentTooLarge = "content_too_large"
  /// More than one Transfer-Encoding, an empty one, or one in an HTTP/1.0 message.
  case transferEncodingInvalid = "transfer_encoding_invalid"
  /// A transfer coding other than exactly `chunked`.
  case transferEncodingNotImplemented = "transfer_encoding_not_implemented"
  // Chunks (RFC 9112 §7.1)
  /// A chunk header that is not hexadecimal digits with extensions.
  case chunkHeader = "chunk_header"
  /// Chunk data that is not followed by CRLF.
  case chunkEnd = "chunk_end"
  /// More bytes of chunk extensions than a body may carry.
  case chunkExtensionTooLong = "chunk_extension_too_long"
  // Time and ends
  /// The peer closed before the message was whole.
  case truncated
  /// The head was not whole at its deadline. The parsers have no clock: whoever keeps the deadline makes this.
  case timeout

  /// The status that a client gets for its mistake.
  public var status: Int {
    switch self {
    case .timeout: 408
    case .contentTooLarge: 413
    case .requestLineTooLong: 414
    case .fieldLineTooLong, .tooManyFields, .headTooLarge: 431
    case .methodNotImplemented, .transferEncodingNotImplemented, .protocolNotImplemented: 501
    case .versionNotSupported: 505
    case .lineEnding, .controlByte, .requestLine, .method, .version, .statusLine, .lineFolding, .fieldName, .fieldNameCase,
      .fieldValueSpace, .connectionField, .pseudoField, .schemeInvalid, .contentLengthMismatch, .targetForm,
      .pathCharacter, .pathEscape, .pathEncodedSeparator, .pathEncodedControl, .pathDotSegment, .pathEmptySegment, .pathParameter,
      .queryCharacter, .fragment, .hostMissing, .hostRepeated, .hostInvalid, .hostMismatch, .contentLengthInvalid,
      .contentLengthRepeated, .contentLengthWithTransferEncoding, .transferEncodingInvalid, .chunkHeader, .chunkEnd,
      .chunkExtensionTooLong, .truncated:
      400
    }
  }

  /// Whether it makes a request of HTTP/2 malformed, which is an error of its stream (RFC 9113 §8.1.1). With any other the request
  /// is well formed, and refused.
  public var isMalformed: Bool {
    switch self {
    case .controlByte, .method, .fieldName, .fieldNameCase, .fieldValueSpace, .connectionField, .pseudoField, .targetForm,
      .contentLengthInvalid, .contentLengthRepeated, .contentLengthMismatch, .truncated:
      true
    case .lineEnding, .requestLineTooLong, .fieldLineTooLong, .tooManyFields, .headTooLarge, .requestLine, .methodNotImplemented,
      .version, .versionNotSupported, .statusLine, .lineFolding, .schemeInvalid, .protocolNotImplemented, .pathCharacter,
      .pathEscape, .pathEncodedSeparator, .pathEncodedControl, .pathDotSegment, .pathEmptySegment, .pathParameter,
      .queryCharacter, .fragment, .hostMissing, .hostRepeated, .hostInvalid, .hostMismatch, .contentLengthWithTransferEncoding,
      .contentTooLarge, .transferEncodingInvalid, .transferEncodingNotImplemented, .chunkHeader, .chunkEnd,
      .chunkExtensionTooLong, .timeout:
      false
    }
  }

  /// The word for logs, metrics and the answer's body.
  public var code: String { rawValue }
}
