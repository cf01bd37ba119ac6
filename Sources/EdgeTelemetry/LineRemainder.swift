/// The end of a log line whose beginning a full disk has still taken.
///
/// It is written before anything else, so that no line begins in the middle of another.
public struct LineRemainder: Equatable, Sendable {
  /// What is missing of the line; empty where the file ends with a whole one.
  public private(set) var bytes: [UInt8] = []

  /// Makes that of a file that ends with a whole line.
  public init() {}

  /// Notes that a file took only the first `count` bytes of `text`.
  ///
  /// - Parameter text: this remainder, then whole lines.
  /// - Returns: how many lines are lost: those of which the file has nothing.
  public mutating func keep(of text: [UInt8], taken count: Int) -> Int {
    let isWithinLine = count == 0 ? !bytes.isEmpty : text[count - 1] != newline
    let untaken = text[count...]
    let end = isWithinLine ? (untaken.firstIndex(of: newline) ?? untaken.endIndex - 1) + 1 : count
    bytes = Array(untaken[..<end])
    return untaken[end...].count { $0 == newline }
  }

  /// Forgets it: the file is another one now.
  ///
  /// - Returns: how many lines are lost.
  public mutating func clear() -> Int {
    defer { bytes = [] }
    return bytes.isEmpty ? 0 : 1
  }
}

private let newline = UInt8(ascii: "\n")
