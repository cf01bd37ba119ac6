/// A line while it is written: room is looked for once for each text, and each byte is copied once.
///
/// An array would look for room, and for others who hold it, at each quotation mark: a WebSocket's two lines took a third more user
/// instructions so (`scripts/bench --parts instructions`).
@safe
struct LineBuffer: ~Copyable {
  private var bytes: UnsafeMutableBufferPointer<UInt8>
  private var count = 0

  /// Makes an empty line with room for `capacity` bytes; it grows beyond that.
  init(capacity: Int) {
    unsafe bytes = .allocate(capacity: max(1, capacity))
  }

  deinit {
    unsafe bytes.deallocate()
  }

  /// Calls `body` with what has been written.
  func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    unsafe body(Span(_unsafeElements: UnsafeBufferPointer(rebasing: bytes[..<count])))
  }

  mutating func append(_ byte: UInt8) {
    makeRoom(for: 1)
    unsafe bytes[count] = byte
    count += 1
  }

  /// Appends bytes that need no escape.
  mutating func append(_ text: Span<UInt8>) {
    guard !text.isEmpty else { return }
    makeRoom(for: text.count)
    let end = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(bytes)[count...])
    unsafe text.withUnsafeBytes { unsafe end.copyMemory(from: $0) }
    count += text.count
  }

  /// Appends text that needs no escape.
  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { unsafe append($0.span) }
  }

  private mutating func makeRoom(for more: Int) {
    guard unsafe bytes.count - count < more else { return }
    let larger = unsafe UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(2 * bytes.count, count + more))
    _ = unsafe larger.update(fromContentsOf: bytes[..<count])
    unsafe bytes.deallocate()
    unsafe bytes = unsafe larger
  }
}
