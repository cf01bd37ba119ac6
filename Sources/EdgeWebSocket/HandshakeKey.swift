internal import EdgeCore

/// The value of Sec-WebSocket-Key: 16 bytes in base64, well formed (RFC 6455 §4.1).
public struct HandshakeKey: Hashable, Sendable {
  /// The 24 characters as they stand on the wire.
  public let text: String

  /// Takes a peer's key; nil unless it is the one base64 text of 16 bytes.
  public init?(_ text: String) {
    guard text.utf8.count == 24, let bytes = Base64.padded.decode(text), bytes.count == Self.byteCount else { return nil }
    self.text = text
  }

  /// Makes a key of 16 random bytes.
  public init(randomBytes: [UInt8]) {
    precondition(randomBytes.count == Self.byteCount)
    text = Base64.padded.encode(randomBytes)
  }

  /// Makes a key of 128 random bits.
  public init(random: (UInt64, UInt64)) {
    unsafe self.init(randomBytes: withUnsafeBytes(of: random) { bytes in unsafe Array(bytes) })
  }

  /// The Sec-WebSocket-Accept that proves this key was read (RFC 6455 §4.2.2, item 5.4).
  ///
  /// - Parameter sha1: computes SHA-1; this module has none.
  public func acceptValue(sha1: ([UInt8]) -> [UInt8]) -> String {
    var proof: [UInt8] = []
    proof.reserveCapacity(text.utf8.count + Self.protocolIdentifier.utf8.count)
    proof.append(contentsOf: text.utf8)
    proof.append(contentsOf: Self.protocolIdentifier.utf8)
    return Base64.padded.encode(sha1(proof))
  }

  /// How many bytes a key stands for.
  public static let byteCount = 16
  private static let protocolIdentifier = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
}
