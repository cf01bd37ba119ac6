/// Why bytes are not one strict JSON text, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: String, Sendable, CaseIterable {
    /// The text ends inside a value.
    case unexpectedEnd = "unexpected end"
    /// A byte that cannot stand here; a byte order mark and `NaN` among them.
    case unexpectedByte = "unexpected byte"
    /// Bytes follow the value.
    case trailingBytes = "bytes after the value"
    /// More nested arrays and objects than allowed.
    case tooDeep = "nested too deeply"
    /// An object has two members of one name.
    case duplicateMember = "duplicate member"
    /// A string holds bytes that are not UTF-8 (RFC 3629).
    case invalidUTF8 = "invalid UTF-8"
    /// A string holds a control character that is not escaped.
    case controlCharacter = "control character in a string"
    /// A backslash is followed by something that is no escape.
    case invalidEscape = "invalid escape"
    /// `\u` escapes that are half of a surrogate pair.
    case loneSurrogate = "lone surrogate"
    /// A number against the grammar, such as `01` or `1.`.
    case invalidNumber = "invalid number"
    /// A number that is too large for `Double`, or written with more than 256 bytes.
    case numberOutOfRange = "number out of range"
  }

  /// What is wrong.
  public let reason: Reason
  /// The byte where it was noticed, counted from 0.
  public let offset: Int

  /// Makes an error.
  public init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// `duplicate member at byte 17`.
  public var description: String { "\(reason.rawValue) at byte \(offset)" }
}
