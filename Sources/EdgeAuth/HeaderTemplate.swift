public import EdgeCore

/// The value of a header that the worker gets, with places for claims: `{claim.sub}`, `user={claim.sub} team={claim.team}`.
/// `{{` and `}}` stand for single braces.
///
/// A filled place never holds a space: where a template has several places, spaces between them are the one separator that no
/// claim can forge.
public struct HeaderTemplate: Hashable, Sendable, CustomStringConvertible {
  /// The text that was read.
  public let description: String
  private let parts: [Part]

  /// The most bytes of a value that says who a client is.
  public static let maxValueBytes = 1024

  private enum Part: Hashable {
    case text(String)
    case claim(String)
  }

  /// A text that is no template.
  public enum SyntaxError: String, Error, Hashable, Sendable, CaseIterable {
    /// Nothing in it.
    case empty = "empty template"
    /// A brace without its partner.
    case unbalancedBrace = "unbalanced brace"
    /// Between braces stands something other than `claim.` and a name.
    case unknownPlace = "unknown place, expected {claim.NAME}"
    /// Outside braces stands something other than visible ASCII and spaces, or a space at an end.
    case unfitText = "text that cannot stand in a header"
    /// More than 1024 bytes.
    case tooLong = "too long"
  }

  /// Reads a template. All that follows `claim.` is the name of one top-level claim, dots and slashes included.
  public init(_ text: String) throws(SyntaxError) {
    guard !text.isEmpty else { throw .empty }
    guard text.utf8.first != UInt8(ascii: " "), text.utf8.last != UInt8(ascii: " ") else { throw .unfitText }
    guard text.utf8.count <= Self.maxValueBytes else { throw .tooLong }
    var parts: [Part] = []
    var literal = ""
    var rest = text[...]
    while let first = rest.first {
      if rest.hasPrefix("{{") || rest.hasPrefix("}}") {
        literal.append(first)
        rest = rest.dropFirst(2)
      } else if first == "{" {
        guard let end = rest.firstIndex(of: "}") else { throw .unbalancedBrace }
        let place = rest[..<end].dropFirst()
        guard place.hasPrefix("claim."), place.count > "claim.".count, !place.contains("{") else { throw .unknownPlace }
        if !literal.isEmpty { parts.append(.text(literal)) }
        literal = ""
        parts.append(.claim(String(place.dropFirst("claim.".count))))
        rest = rest[end...].dropFirst()
      } else {
        guard first != "}" else { throw .unbalancedBrace }
        guard first.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else { throw .unfitText }
        literal.append(first)
        rest = rest.dropFirst()
      }
    }
    if !literal.isEmpty { parts.append(.text(literal)) }
    self.parts = parts
    description = text
  }

  /// Whether the value depends on the token.
  public var usesClaims: Bool {
    parts.contains { part in
      switch part {
      case .claim: true
      case .text: false
      }
    }
  }

  /// Fills in the claims of a token.
  ///
  /// Texts stand as they are, numbers and truth values as JSON writes them, arrays and objects as compact JSON. Of what comes
  /// from a claim, `%` and every byte outside visible ASCII is percent-encoded, so that the value is one word on one line and
  /// can be decoded back.
  ///
  /// - Returns: the value, or nil when a claim is missing, null or an empty text: the worker then gets no such header.
  /// - Throws: `TokenError.invalid(.headerTooLong)` above `maxValueBytes`.
  public func value(for claims: JSON) throws(TokenError) -> String? {
    var value: [UInt8] = []
    for part in parts {
      switch part {
      case .text(let text): value.append(contentsOf: text.utf8)
      case .claim(let name):
        guard let claim = claims[name], !claim.isNull, claim != "" else { return nil }
        for byte in claim.stringValue.map({ Array($0.utf8) }) ?? claim.encoded() {
          PercentEncoding.appendVisible(byte, to: &value)
        }
      }
    }
    guard value.count <= Self.maxValueBytes else { throw .invalid(.headerTooLong) }
    return String(decoding: value, as: UTF8.self)
  }
}
