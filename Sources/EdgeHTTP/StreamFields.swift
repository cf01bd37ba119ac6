internal import EdgeCore

/// The fields of an answer as a stream of HTTP/2 has them: `:status` first, names in lower case, nothing about a connection
/// (RFC 9113 §8.2, §8.3.2).
///
/// All text lies in one piece, name after value after name: how it is encoded is up to whoever sends it.
public struct StreamFields: Sendable {
  /// The text of all fields.
  public private(set) var bytes: [UInt8] = []
  /// How long each name and each value is, in bytes.
  public private(set) var lengths: [(name: Int, value: Int)] = []

  /// Makes the fields of an answer.
  public init(_ head: ResponseHead) {
    lengths.reserveCapacity(head.fields.count + 1)
    add(":status", String(head.status))
    for field in head.fields where !connectionFields.contains(field.name) { add(field.name, field.value) }
  }

  private mutating func add(_ name: String, _ value: String) {
    let start = bytes.count
    for byte in name.utf8 { bytes.append(ASCII.lowercased(byte)) }
    let valueStart = bytes.count
    bytes.append(latin1: value)
    lengths.append((name: valueStart - start, value: bytes.count - valueStart))
  }
}

private let connectionFields = FieldNameSet([
  "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "HTTP2-Settings",
])
