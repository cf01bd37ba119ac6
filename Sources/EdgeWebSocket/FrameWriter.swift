/// Appends frames to a buffer of bytes to send (RFC 6455 §5.2).
///
/// `maskKey` tells the role: towards a worker a fresh, random key per frame; towards a client nil (RFC 6455 §5.1).
public enum FrameWriter {
  /// The most bytes that a close reason may have.
  public static let maxCloseReasonBytes = ControlPayload.maxBytes - 2

  /// Appends a whole message as a single frame. A text's bytes must be UTF-8.
  public static func appendMessage(
    _ kind: MessageKind, _ payload: Span<UInt8>, maskKey: MaskKey? = nil, into bytes: inout [UInt8]
  ) {
    let opcode: Opcode =
      switch kind {
      case .text: .text
      case .binary: .binary
      }
    appendFrame(opcode, payload, maskKey: maskKey, into: &bytes)
  }

  /// Appends a text as a single frame.
  public static func appendText(_ text: String, maskKey: MaskKey? = nil, into bytes: inout [UInt8]) {
    appendMessage(.text, Array(text.utf8).span, maskKey: maskKey, into: &bytes)
  }

  /// Appends a Close frame (RFC 6455 §5.5.1).
  ///
  /// - Parameters:
  ///   - code: nil for none. A code that no frame may carry counts as none, and then the reason is left out too.
  ///   - reason: cut after the last whole character that fits in `maxCloseReasonBytes`.
  public static func appendClose(
    _ code: CloseCode?, reason: String = "", maskKey: MaskKey? = nil, into bytes: inout [UInt8]
  ) {
    var payload: [UInt8] = []
    if let code, code.isValidOnWire {
      payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
      payload += reason.utf8Prefix(maxBytes: maxCloseReasonBytes)
    }
    appendFrame(.close, payload.span, maskKey: maskKey, into: &bytes)
  }

  /// Appends a ping (RFC 6455 §5.5.2).
  public static func appendPing(_ payload: ControlPayload, maskKey: MaskKey? = nil, into bytes: inout [UInt8]) {
    payload.withBytes { appendFrame(.ping, $0, maskKey: maskKey, into: &bytes) }
  }

  /// Appends a pong: the answer to a ping bears that ping's payload (RFC 6455 §5.5.3).
  public static func appendPong(_ payload: ControlPayload, maskKey: MaskKey? = nil, into bytes: inout [UInt8]) {
    payload.withBytes { appendFrame(.pong, $0, maskKey: maskKey, into: &bytes) }
  }

  /// Appends any frame, fragments included; whether it is allowed where it stands is the caller's care.
  public static func appendFrame(
    _ opcode: Opcode, isFinal: Bool = true, _ payload: Span<UInt8>, maskKey: MaskKey? = nil, into bytes: inout [UInt8]
  ) {
    let header = FrameHeader(isFinal: isFinal, opcode: opcode, maskKey: maskKey, payloadLength: payload.count)
    appendHeader(header, into: &bytes)
    bytes.append(copying: payload, maskKey: maskKey ?? .zero)
  }

  /// Appends a header alone, with the length in its shortest form.
  public static func appendHeader(_ header: FrameHeader, into bytes: inout [UInt8]) {
    let maskBit: UInt8 = header.isMasked ? 0x80 : 0
    let length = header.payloadLength
    bytes.append((header.isFinal ? 0x80 : 0) | header.opcode.rawValue)
    if length <= FrameHeader.maxShortLength {
      bytes.append(maskBit | UInt8(length))
    } else if length <= FrameHeader.maxMediumLength {
      bytes.append(maskBit | UInt8(FrameHeader.mediumLengthMark))
      appendBigEndian(length, width: 2, into: &bytes)
    } else {
      bytes.append(maskBit | UInt8(FrameHeader.longLengthMark))
      appendBigEndian(length, width: 8, into: &bytes)
    }
    if let maskKey = header.maskKey {
      for index in 0..<4 { bytes.append(maskKey.byte(at: index)) }
    }
  }

  private static func appendBigEndian(_ value: Int, width: Int, into bytes: inout [UInt8]) {
    for shift in stride(from: (width - 1) * 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}

extension String {
  /// The longest run of whole Unicode scalars from the start that takes at most `maxBytes` in UTF-8.
  fileprivate func utf8Prefix(maxBytes: Int) -> [UInt8] {
    var prefix = Array(utf8.prefix(maxBytes + 1))
    guard prefix.count > maxBytes else { return prefix }
    while let last = prefix.popLast(), last & 0xC0 == 0x80 {}
    return prefix
  }
}
