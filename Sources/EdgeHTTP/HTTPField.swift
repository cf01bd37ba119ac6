internal import EdgeCore

/// One field of a head: a name and a value that are both safe to write (RFC 9110 §5).
///
/// The value is a string of Latin-1 scalars: each of U+0000–U+00FF stands for one byte on the wire, so any value that was read
/// is written again byte by byte. No field can end its own line, whoever made it.
public struct HTTPField: Hashable, Sendable {
  /// The name in the sender's spelling; it is compared without regard to case.
  public let name: String
  /// The value, without white space around it.
  public let value: String

  /// Makes a field of the edge's own.
  ///
  /// - Parameters:
  ///   - name: a token; anything else is our own mistake.
  ///   - value: any text. What a field cannot carry (controls, scalars above U+00FF) is percent-encoded as UTF-8.
  public init(name: String, value: String) {
    precondition(HTTPField.isValidName(name))
    self.name = name
    self.value = HTTPField.writableText(value)
  }

  /// Makes a field of bytes that a parser has checked already.
  init(checkedName name: String, checkedValue value: String) {
    self.name = name
    self.value = value
  }

  /// The text with everything percent-encoded that a head cannot carry.
  static func writableText(_ text: String) -> String {
    let bytes = text.utf8.span
    for index in bytes.indices where !(0x20...0x7e).contains(bytes[index]) { return encodingUnsafeScalars(of: text) }
    return text
  }

  /// Whether the field has that name, in any case.
  public func isNamed(_ name: String) -> Bool {
    ASCII.equalIgnoringCase(self.name.utf8.span, name.utf8.span)
  }

  /// Whether `name` is a token, as a field name must be (RFC 9110 §5.1).
  public static func isValidName(_ name: String) -> Bool {
    let bytes = name.utf8.span
    for index in bytes.indices where !ASCII.isTokenCharacter(bytes[index]) { return false }
    return !bytes.isEmpty
  }
}

private func isFieldScalar(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x09, 0x20...0x7e, 0x80...0xff: true
  default: false
  }
}

private func encodingUnsafeScalars(of text: String) -> String {
  var encoded = ""
  for scalar in text.unicodeScalars {
    if isFieldScalar(scalar) {
      encoded.unicodeScalars.append(scalar)
    } else {
      var escape: [UInt8] = []
      for byte in scalar.utf8 { PercentEncoding.append(byte, to: &escape) }
      encoded += String(decoding: escape, as: UTF8.self)
    }
  }
  return encoded
}
