/// What a frame is for (RFC 6455 §5.2).
public enum Opcode: UInt8, Hashable, Sendable {
  /// The next part of a fragmented message.
  case continuation = 0x0
  /// The first or only part of a text message.
  case text = 0x1
  /// The first or only part of a binary message.
  case binary = 0x2
  /// The sender is done.
  case close = 0x8
  /// A question whether the peer is alive.
  case ping = 0x9
  /// The answer to a ping, or a sign of life unasked.
  case pong = 0xA

  /// Whether the frame is a control frame: whole, at most 125 bytes, allowed between fragments (RFC 6455 §5.5).
  public var isControl: Bool { rawValue >= Opcode.close.rawValue }
}

/// Whether a message is text or binary.
public enum MessageKind: UInt8, Hashable, Sendable, CaseIterable {
  /// UTF-8 text.
  case text
  /// Any bytes.
  case binary
}

/// Which side of the edge sends the frames: it decides whether they are masked (RFC 6455 §5.1).
public enum FrameSender: Hashable, Sendable, CaseIterable {
  /// A client: every frame is masked.
  case client
  /// A worker, which is the server: no frame is masked.
  case worker
}

/// The start of a frame: all but its payload (RFC 6455 §5.2).
public struct FrameHeader: Hashable, Sendable {
  /// Whether the frame ends its message.
  public let isFinal: Bool
  /// What the frame is for.
  public let opcode: Opcode
  /// The key its payload is masked with; nil if it is not masked.
  public let maskKey: MaskKey?
  /// The announced size of the payload in bytes. Always fits: the top bit of a length must be clear.
  public let payloadLength: Int

  /// Describes a frame. `payloadLength` is not negative.
  public init(isFinal: Bool, opcode: Opcode, maskKey: MaskKey?, payloadLength: Int) {
    precondition(payloadLength >= 0)
    self.isFinal = isFinal
    self.opcode = opcode
    self.maskKey = maskKey
    self.payloadLength = payloadLength
  }

  /// Whether the payload is masked.
  public var isMasked: Bool { maskKey != nil }

  /// The size of this header on the wire in its shortest form: 2–14 bytes.
  public var headerLength: Int {
    let lengthBytes = payloadLength <= Self.maxShortLength ? 0 : payloadLength <= Self.maxMediumLength ? 2 : 8
    return 2 + lengthBytes + (isMasked ? 4 : 0)
  }

  /// The kind of message that this frame begins; nil for a continuation or a control frame.
  public var messageKind: MessageKind? {
    switch opcode {
    case .text: .text
    case .binary: .binary
    case .continuation, .close, .ping, .pong: nil
    }
  }
}

extension FrameHeader {
  /// Decodes the header at `offset`, if `bytes` holds all of it (RFC 6455 §5.2).
  ///
  /// The rules of a single frame are checked, its place in a message is not.
  ///
  /// - Returns: the header, or nil when more bytes are needed.
  /// - Throws: `FrameError`; close the sender's connection with its `closeCode`.
  @inline(__always)  // With the two of `FrameReader.State`: 360 instead of 500 instructions per frame of 128 bytes.
  static func decode(
    _ bytes: Span<UInt8>, at offset: Int, from sender: FrameSender
  ) throws(FrameError) -> FrameHeader? {
    let available = bytes.count - offset
    guard available >= 2 else { return nil }
    let first = bytes[offset]
    let second = bytes[offset + 1]

    guard first & 0x70 == 0 else { throw .reservedBits }
    guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .unknownOpcode }
    let isFinal = first & 0x80 != 0
    let isMasked = second & 0x80 != 0
    var payloadLength = Int(second & 0x7F)
    if opcode.isControl {
      guard isFinal else { throw .controlFragmented }
      guard payloadLength <= maxShortLength else { throw .controlTooLong }
    }
    switch sender {
    case .client: guard isMasked else { throw .maskMissing }
    case .worker: guard !isMasked else { throw .maskUnexpected }
    }

    let lengthWidth = payloadLength <= maxShortLength ? 0 : payloadLength == mediumLengthMark ? 2 : 8
    let keyStart = offset + 2 + lengthWidth
    guard bytes.count - keyStart >= (isMasked ? 4 : 0) else { return nil }
    if lengthWidth == 2 {
      payloadLength = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      guard payloadLength > maxShortLength else { throw .lengthNotMinimal }
    } else if lengthWidth == 8 {
      payloadLength = try longLength(bytes, at: offset + 2)
    }
    let maskKey =
      isMasked ? MaskKey(bytes[keyStart], bytes[keyStart + 1], bytes[keyStart + 2], bytes[keyStart + 3]) : nil
    return FrameHeader(isFinal: isFinal, opcode: opcode, maskKey: maskKey, payloadLength: payloadLength)
  }

  /// Reads a length of eight bytes, most significant first. It must need more than two (RFC 6455 §5.2).
  private static func longLength(_ bytes: Span<UInt8>, at offset: Int) throws(FrameError) -> Int {
    var value: UInt64 = 0
    for index in offset..<offset + 8 { value = value << 8 | UInt64(bytes[index]) }
    guard let length = Int(exactly: value) else { throw .lengthOutOfRange }
    guard length > maxMediumLength else { throw .lengthNotMinimal }
    return length
  }

  /// The longest payload whose length stands in the second byte: also the most that a control frame may carry.
  static let maxShortLength = 125
  /// The longest payload whose length takes two further bytes.
  static let maxMediumLength = 0xFFFF
  /// In place of a length: two bytes of length follow.
  static let mediumLengthMark = 126
  /// In place of a length: eight bytes of length follow.
  static let longLengthMark = 127
}
