/// Writes a body in chunks (RFC 9112 §7.1): for each piece of data a header, the data and `chunkEnd`; then `lastChunk`.
public enum ChunkedEncoding {
  /// What follows the data of each chunk.
  public static let chunkEnd: [UInt8] = [0x0d, 0x0a]
  /// What ends the body; there are no trailers.
  public static let lastChunk: [UInt8] = Array("0\r\n\r\n".utf8)
  /// The most bytes that `appendHeader` adds.
  public static let maxHeaderBytes = 18

  /// Adds the header of a chunk.
  ///
  /// - Parameter size: bytes of data that follow; at least 1, since a chunk of none would end the body.
  public static func appendHeader(size: Int, into bytes: inout [UInt8]) {
    precondition(size > 0)
    bytes.append(latin1: String(size, radix: 16))
    bytes.append(contentsOf: chunkEnd)
  }

  /// Adds a whole chunk; nothing for empty data.
  public static func appendChunk(_ data: Span<UInt8>, into bytes: inout [UInt8]) {
    guard !data.isEmpty else { return }
    appendHeader(size: data.count, into: &bytes)
    bytes.reserveCapacity(bytes.count + data.count + chunkEnd.count)
    for index in data.indices { bytes.append(data[index]) }
    bytes.append(contentsOf: chunkEnd)
  }
}
