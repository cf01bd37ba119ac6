/// How a peer broke the framing rules. The raw value is the word for logs and metric labels.
public enum FrameError: String, Error, Hashable, Sendable, CaseIterable {
  /// RSV1–3 set while no extension is agreed (RFC 6455 §5.2).
  case reservedBits = "reserved_bits"
  /// An opcode that nobody defined (RFC 6455 §5.2).
  case unknownOpcode = "unknown_opcode"
  /// A control frame without FIN (RFC 6455 §5.5).
  case controlFragmented = "control_fragmented"
  /// A control frame that announces more than 125 bytes (RFC 6455 §5.5).
  case controlTooLong = "control_too_long"
  /// A length in more bytes than it needs (RFC 6455 §5.2).
  case lengthNotMinimal = "length_not_minimal"
  /// A 64-bit length with its top bit set (RFC 6455 §5.2).
  case lengthOutOfRange = "length_out_of_range"
  /// A client's frame without a mask (RFC 6455 §5.1).
  case maskMissing = "mask_missing"
  /// A worker's frame with a mask (RFC 6455 §5.1).
  case maskUnexpected = "mask_unexpected"
  /// A continuation frame outside any message (RFC 6455 §5.4).
  case continuationWithoutStart = "continuation_without_start"
  /// A new text or binary frame before the last message ended (RFC 6455 §5.4).
  case messageInterrupted = "message_interrupted"
  /// The announced lengths of a message's frames add up to more than the limit (RFC 6455 §10.4).
  case messageTooBig = "message_too_big"
  /// Text that is not UTF-8 (RFC 6455 §8.1).
  case invalidUTF8 = "invalid_utf8"
  /// A Close frame of one byte (RFC 6455 §5.5.1).
  case closePayloadTooShort = "close_payload_too_short"
  /// A close code that no frame may carry (RFC 6455 §7.4).
  case closeCodeInvalid = "close_code_invalid"
  /// A close reason that is not UTF-8 (RFC 6455 §5.5.1).
  case closeReasonInvalid = "close_reason_invalid"

  /// The code to close the offender's connection with: 1002, 1007 or 1009.
  public var closeCode: CloseCode {
    switch self {
    case .reservedBits, .unknownOpcode, .controlFragmented, .controlTooLong, .lengthNotMinimal, .lengthOutOfRange,
      .maskMissing, .maskUnexpected, .continuationWithoutStart, .messageInterrupted, .closePayloadTooShort,
      .closeCodeInvalid:
      .protocolError
    case .invalidUTF8, .closeReasonInvalid: .invalidPayload
    case .messageTooBig: .messageTooBig
    }
  }
}
