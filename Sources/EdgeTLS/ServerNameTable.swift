import EdgeCore

/// Finds what a server name stands for: an exact name first, then a wildcard for its first label (RFC 6125 §6.4.3).
struct ServerNameTable<Value: Sendable>: Sendable {
  private var exact: [String: Value] = [:]
  /// By what follows the `*`, such as `.example.com`.
  private var wildcards: [String: Value] = [:]

  /// Sets the value of a name, such as `a.example.com` or `*.example.com`, in lower case.
  mutating func set(_ name: String, to value: Value) {
    if name.utf8.starts(with: "*.".utf8) {
      wildcards[String(name.dropFirst())] = value
    } else {
      exact[name] = value
    }
  }

  /// The value for the name that a client sent: case and a final dot do not matter.
  func value(for name: String) -> Value? {
    if let value = exact[name] { return value }
    var bytes = name.utf8.map(ASCII.lowercased)
    if bytes.last == dot { bytes.removeLast() }
    if let value = exact[String(decoding: bytes, as: UTF8.self)] { return value }
    guard let firstDot = bytes.firstIndex(of: dot), firstDot > 0 else { return nil }
    return wildcards[String(decoding: bytes[firstDot...], as: UTF8.self)]
  }
}

private let dot = UInt8(ascii: ".")
