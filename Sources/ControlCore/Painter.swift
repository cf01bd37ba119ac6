/// How a piece of text looks on a terminal.
public enum Style: Equatable, Sendable {
  /// As the terminal's own text.
  case plain
  /// What names a column or a section.
  case heading
  /// Of less interest.
  case faint
  /// In order.
  case good
  /// Worth a look.
  case warning
  /// Wrong.
  case bad
}

/// Colours text, or leaves it alone.
public struct Painter: Sendable {
  private let isColored: Bool

  /// Makes a painter.
  public init(isColored: Bool) {
    self.isColored = isColored
  }

  /// The text in a style (ECMA-48 SGR; the sixteen colours that every theme has).
  public func paint(_ text: String, _ style: Style) -> String {
    guard isColored, !text.isEmpty, let code = style.code else { return text }
    return "\u{1b}[\(code)m\(text)\u{1b}[0m"
  }
}

extension Style {
  fileprivate var code: String? {
    switch self {
    case .plain: nil
    case .heading: "1"
    case .faint: "2"
    case .good: "32"
    case .warning: "33"
    case .bad: "31"
    }
  }
}

/// When output is coloured: the option `--color`.
public enum ColorChoice: String, CaseIterable, Sendable {
  /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
  case auto
  /// Whatever the output is.
  case always
  /// Not at all.
  case never

  /// Whether to colour.
  ///
  /// - Parameter environment: the value of a variable; nil where it is not set.
  public func isColored(onTerminal: Bool, environment: (String) -> String?) -> Bool {
    switch self {
    case .always: true
    case .never: false
    case .auto: onTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    }
  }
}
