import EdgeCore

/// Looks over a YAML text before the library does, and refuses what would make reading it expensive.
///
/// The library resolves aliases while it composes, and hashes keys that are collections: a few lines can keep it busy for
/// hours. It also recurses for each level. So anchors, aliases, keys that are collections and deep nesting end here. The
/// look is a shallow one: it knows quotes, comments and block scalars, and where in doubt about a text nobody writes, refuses.
struct DocumentGuard {
  static let maxBytes = 1_048_576
  static let maxFlowDepth = 32
  static let maxIndentation = 128

  private let bytes: [UInt8]
  private let fileName: String
  private var index = 0
  private var line = 1
  private var lineStart = 0
  private var flowDepth = 0
  /// Where the innermost key or dash so far stands; what is indented further belongs to it.
  private var parentColumn = -1
  /// The parent's column of a text without quotes that ended with its line: the next line may be more of it.
  private var unfinishedText: Int?

  /// Returns when `text` is cheap to read.
  static func check(_ text: String, fileName: String) throws(ConfigurationError) {
    guard text.utf8.count <= maxBytes else {
      throw ConfigurationError(
        origin: .file(name: fileName, line: 1, column: 1), keyPath: "", problem: "the file has \(text.utf8.count) bytes",
        expected: "expected at most \(maxBytes)")
    }
    var check = DocumentGuard(bytes: Array(text.utf8), fileName: fileName)
    while check.index < check.bytes.count { try check.checkLine() }
  }

  private init(bytes: [UInt8], fileName: String) {
    self.bytes = bytes
    self.fileName = fileName
  }

  /// Checks one line, or more when a quoted or block scalar goes on; a flow collection that goes on is kept in `flowDepth`.
  private mutating func checkLine() throws(ConfigurationError) {
    skipBlanks()
    guard let first = peek(), !isBreak(first) else { return endLine() }
    if flowDepth == 0, column > Self.maxIndentation, first != UInt8(ascii: "#") {
      throw error("the line is indented by \(column)", "expected at most \(Self.maxIndentation) columns")
    }
    if column <= parentColumn { parentColumn = column - 1 }
    if let unfinishedText, isQuote(first), flowDepth > 0 || column > unfinishedText {
      throw error("a text goes on with a quote", "expected the text on one line, or all of it in quotes")
    }
    unfinishedText = nil
    if column == 0, starts(with: "---") || starts(with: "...") || peek() == UInt8(ascii: "%") {
      if peek() == UInt8(ascii: "%") { skipLine() } else { index += 3 }
    }
    var indicators = 0
    while true {
      skipBlanks()
      guard let byte = peek(), !isBreak(byte) else { break }
      switch byte {
      case UInt8(ascii: "#"): skipLine()
      case _ where isQuote(byte):
        parentColumn = column
        skipQuoted(by: byte)
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        flowDepth += 1
        guard flowDepth <= Self.maxFlowDepth else {
          throw error("brackets are nested too deep", "expected at most \(Self.maxFlowDepth) levels")
        }
        index += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        flowDepth = max(0, flowDepth - 1)
        index += 1
        skipBlanks()
        if peek() == UInt8(ascii: ":") {
          throw error("a list or mapping stands before a colon", "expected a name there, or quotes around \"[::]:8443\"")
        }
      case UInt8(ascii: "&"), UInt8(ascii: "*"):
        throw error(
          "an anchor or alias is used", "expected the value written out, or a text that begins with & or * in quotes")
      case UInt8(ascii: "!"):
        while let next = peek(), !isBlank(next), !isBreak(next) { index += 1 }
      case UInt8(ascii: "|") where flowDepth == 0, UInt8(ascii: ">") where flowDepth == 0:
        return skipBlock()
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        index += 1
      case UInt8(ascii: "-") where endsToken(at: index + 1):
        indicators += 1
        guard indicators <= Self.maxFlowDepth else {
          throw error("lists are nested too deep", "expected at most \(Self.maxFlowDepth) levels")
        }
        parentColumn = column
        index += 1
      case UInt8(ascii: "?") where endsToken(at: index + 1):
        throw error("a key is marked with \"?\"", "expected a name and a colon")
      default:
        let outerColumn = parentColumn
        parentColumn = column
        skipPlain()
        if peek().map(isBreak) ?? true { unfinishedText = outerColumn }
      }
    }
    endLine()
  }
}

extension DocumentGuard {
  private var column: Int { index - lineStart }

  private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

  private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  private func isBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

  private func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

  private func isFlowIndicator(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"): true
    default: false
    }
  }

  private func endsToken(at position: Int) -> Bool {
    guard position < bytes.count else { return true }
    return isBlank(bytes[position]) || isBreak(bytes[position]) || flowDepth > 0 && isFlowIndicator(bytes[position])
  }

  private func starts(with marker: String) -> Bool {
    bytes[index...].starts(with: marker.utf8) && endsToken(at: index + marker.utf8.count)
  }

  private mutating func skipBlanks() {
    while let byte = peek(), isBlank(byte) { index += 1 }
  }

  private mutating func skipLine() {
    while let byte = peek(), !isBreak(byte) { index += 1 }
  }

  /// Steps over a line break, if one is next.
  private mutating func endLine() {
    guard let byte = peek(), isBreak(byte) else { return }
    index += 1
    if byte == UInt8(ascii: "\r"), peek() == UInt8(ascii: "\n") { index += 1 }
    line += 1
    lineStart = index
  }

  private mutating func skipQuoted(by quote: UInt8) {
    index += 1
    while let byte = peek() {
      if isBreak(byte) {
        endLine()
      } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        index += 1
        if let escaped = peek(), !isBreak(escaped) { index += 1 }
      } else if byte == quote {
        index += 1
        guard quote == UInt8(ascii: "'"), peek() == quote else { return }
        index += 1
      } else {
        index += 1
      }
    }
  }

  /// Steps over a text without quotes, up to what ends it on this line.
  private mutating func skipPlain() {
    index += 1
    while let byte = peek(), !isBreak(byte) {
      if byte == UInt8(ascii: ":"), endsToken(at: index + 1) { return }
      if byte == UInt8(ascii: "#"), isBlank(bytes[index - 1]) { return }
      if flowDepth > 0, isFlowIndicator(byte) { return }
      index += 1
    }
  }

  /// Steps over a block scalar: all lines that are blank or indented by more than `parentColumn`.
  private mutating func skipBlock() {
    skipLine()
    endLine()
    while index < bytes.count {
      var start = index
      while start < bytes.count, bytes[start] == UInt8(ascii: " ") { start += 1 }
      guard start == bytes.count || isBreak(bytes[start]) || start - lineStart > parentColumn else { return }
      skipLine()
      endLine()
    }
  }

  private func error(_ problem: String, _ expected: String) -> ConfigurationError {
    let scalars = bytes[lineStart..<index].count { $0 & 0xc0 != 0x80 }
    return ConfigurationError(
      origin: .file(name: fileName, line: line, column: scalars + 1), keyPath: "", problem: problem, expected: expected)
  }
}
