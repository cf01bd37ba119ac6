/// Where the payload of a control frame lies in the bytes that hold it, and how it is masked.
public struct ControlBody: Hashable, Sendable {
  /// The payload's place in the span that was read: at most 125 bytes.
  public let range: Range<Int>
  /// The key that still lies over the bytes; nil if they are plain.
  public let maskKey: MaskKey?
}

/// The unmasked payload of a control frame: 0–125 bytes, held without allocation (RFC 6455 §5.5).
public struct ControlPayload: Sendable {
  /// How many bytes there are.
  public private(set) var count = 0
  private var storage = InlineArray<125, UInt8>(repeating: 0)

  /// The most bytes that a control frame carries.
  public static let maxBytes = FrameHeader.maxShortLength

  /// An empty payload.
  public init() {}

  /// Takes a copy of `bytes`: of the first 125, should there be more.
  public init(_ bytes: Span<UInt8>) {
    for index in 0..<min(bytes.count, Self.maxBytes) { append(bytes[index]) }
  }

  /// Takes an unmasked copy of a payload that was found in `bytes`.
  public init(_ body: ControlBody, in bytes: Span<UInt8>) {
    let key = body.maskKey ?? .zero
    for (position, index) in body.range.enumerated() { append(bytes[index] ^ key.byte(at: position)) }
  }

  /// The eight bytes of `nonce`, for a ping whose pong is to be recognised.
  public init(nonce: UInt64) {
    for shift in stride(from: 56, through: 0, by: -8) { append(UInt8(truncatingIfNeeded: nonce >> UInt64(shift))) }
  }

  /// Calls `body` with the bytes.
  public func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    body(storage.span.extracting(first: count))
  }

  private mutating func append(_ byte: UInt8) {
    storage[count] = byte
    count += 1
  }
}

extension ControlPayload: Equatable {
  /// Whether both hold the same bytes.
  public static func == (lhs: ControlPayload, rhs: ControlPayload) -> Bool {
    guard lhs.count == rhs.count else { return false }
    for index in 0..<lhs.count where lhs.storage[index] != rhs.storage[index] { return false }
    return true
  }
}

extension String {
  /// The text of a close reason that the reader has found valid; anything malformed would show as U+FFFD.
  public init(closeReason body: ControlBody, in bytes: Span<UInt8>) {
    self = ControlPayload(body, in: bytes).withBytes { payload in
      var plain: [UInt8] = []
      plain.reserveCapacity(payload.count)
      for index in payload.indices { plain.append(payload[index]) }
      return String(decoding: plain, as: UTF8.self)
    }
  }
}
