public import EdgeCore

extension JSON {
  /// An object of the members that have a value.
  public static func object(present members: [(name: String, value: JSON?)]) -> JSON {
    .object(members.compactMap { member in member.value.map { Member(name: member.name, value: $0) } })
  }

  /// `true` where something is meant; nil, which says nothing, where it is not.
  public static func flag(_ isSet: Bool) -> JSON? {
    isSet ? .some(.bool(true)) : .none
  }

  /// The object with another value in a member that it has.
  public func replacing(_ name: String, with value: JSON) -> JSON {
    .object((members ?? []).map { $0.name == name ? Member(name: name, value: value) : $0 })
  }

  /// A number, written without a fraction where it has none.
  public static func wholeOrNot(_ number: Double) -> JSON {
    Int64(exactly: number).map(JSON.integer) ?? .number(number)
  }

  /// The value as compact JSON text that is safe on a terminal: what it would obey is written as `\u001b`, which means the same.
  public var terminalSafeText: String {
    var text = ""
    for scalar in String(decoding: encoded(), as: UTF8.self).unicodeScalars {
      if TerminalText.isDangerous(scalar) {
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  /// A text, a number or a truth value as people read it; nil for anything else.
  var text: String? {
    switch self {
    case .string(let text): text
    case .integer(let number): String(number)
    case .number(let number): number.description
    case .bool(let value): value ? "yes" : "no"
    case .null, .array, .object: nil
    }
  }
}
