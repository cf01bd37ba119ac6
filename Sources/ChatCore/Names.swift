internal import EdgeCore

/// A verified user, as the edge names them. The only source of a message's sender.
///
/// Names are equal when their bytes are: `String` would take canonically equivalent names of two accounts for one.
public struct UserName: Hashable, Sendable {
  /// The name as it is shown.
  public let text: String

  /// Takes a name of 1–256 UTF-8 bytes without control characters; nil for any other.
  public init?(_ text: String) {
    guard (1...maxUserNameBytes).contains(text.utf8.count), !text.unicodeScalars.contains(where: isControl) else { return nil }
    self.text = text
  }

  /// Decodes the identity field of the edge: visible ASCII in which `%hh` stands for any other byte of the UTF-8 name.
  public init?(percentEncoded field: String) {
    guard field.utf8.allSatisfy(ASCII.isVisible), let bytes = PercentEncoding.decode(field.utf8),
      let text = String(validating: bytes, as: UTF8.self)
    else { return nil }
    self.init(text)
  }

  /// Whether both names have the same bytes.
  public static func == (lhs: UserName, rhs: UserName) -> Bool {
    lhs.text.utf8.elementsEqual(rhs.text.utf8)
  }

  /// Hashes the bytes of the name.
  public func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
    hasher.combine(0xff as UInt8)
  }
}

/// The name of a room: 1–64 ASCII letters, digits, `-`, `_` and `.`.
public struct RoomName: Hashable, Sendable {
  /// The name as it stands in envelopes.
  public let text: String

  /// Takes a well-formed name; nil for any other.
  public init?(_ text: String) {
    guard (1...maxRoomNameBytes).contains(text.utf8.count), text.utf8.allSatisfy(isRoomNameByte) else { return nil }
    self.text = text
  }
}

/// What a client calls one of its messages, so that sending it again is harmless: 1–64 visible ASCII characters.
public struct MessageID: Hashable, Sendable {
  /// The identifier as it stands in envelopes.
  public let text: String

  /// Takes a well-formed identifier; nil for any other.
  public init?(_ text: String) {
    guard (1...maxMessageIDBytes).contains(text.utf8.count), text.utf8.allSatisfy(ASCII.isVisible) else { return nil }
    self.text = text
  }

  /// Names a message that its sender gave no identifier: unique among all processes.
  init(of node: NodeID, token: Int64) {
    text = "\(String(node.rawValue, radix: 36))-\(String(token, radix: 36))"
  }
}

/// What a message says: 1–4,096 UTF-8 bytes, not only white space, no control characters but tab and line feed.
public struct MessageText: Hashable, Sendable {
  /// The longest text, in UTF-8 bytes.
  public static let maxBytes = 4_096

  /// The text as it stands in envelopes.
  public let text: String

  /// Takes a well-formed text; nil for any other.
  public init?(_ text: String) {
    guard text.utf8.count <= MessageText.maxBytes, text.contains(where: { !$0.isWhitespace }),
      !text.unicodeScalars.contains(where: { isControl($0) && $0 != "\n" && $0 != "\t" })
    else { return nil }
    self.text = text
  }
}

/// One process that takes part in the chat, for as long as it runs.
public struct NodeID: Hashable, Sendable {
  /// A random positive number; zero and negative ones are not used.
  public let rawValue: Int64

  /// Makes the identifier with this number; nil unless it is positive.
  public init?(rawValue: Int64) {
    guard rawValue > 0 else { return nil }
    self.rawValue = rawValue
  }

  /// Makes an identifier of 62 random bits.
  public init(random bits: UInt64) {
    rawValue = Int64(bits >> 2) | 1
  }
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
}

private func isRoomNameByte(_ byte: UInt8) -> Bool {
  ASCII.isLetter(byte) || ASCII.isDigit(byte)
    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
}

private let maxUserNameBytes = 256
private let maxRoomNameBytes = 64
private let maxMessageIDBytes = 64
