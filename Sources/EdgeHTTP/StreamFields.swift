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
    bytes.reserveCapacity(head.fields.lineBytes + statusBytes)
    add(":status".utf8.span, String(head.status).utf8.span)
    head.fields.forEachField { name, value in
      if !connectionFields.contains(name) { add(name, value) }
    }
  }

  private mutating func add(_ name: Span<UInt8>, _ value: Span<UInt8>) {
    for index in name.indices { bytes.append(ASCII.lowercased(name[index])) }
    bytes.append(copying: value)
    lengths.append((name: name.count, value: value.count))
  }
}

private let connectionFields = FieldNameSet([
  "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "HTTP2-Settings",
])
/// What `:status` and its value take.
private let statusBytes = 10
