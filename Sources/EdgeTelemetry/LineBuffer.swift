/// A line while it is written: room is looked for once for each text, and each byte is copied once.
///
/// An array would look for room, and for others who hold it, at each quotation mark: a WebSocket's two lines took a third more user
/// instructions so (`scripts/bench --parts instructions`).
@safe
struct LineBuffer: ~Copyable {
  private var start: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var count = 0

  /// Makes an empty line with room for `capacity` bytes, at least one; it grows beyond that.
  init(capacity: Int) {
    unsafe start = .allocate(capacity: capacity)
    self.capacity = capacity
  }

  deinit {
    unsafe start.deallocate()
  }

  /// Calls `body` with what has been written.
  func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    unsafe body(Span(_unsafeElements: UnsafeBufferPointer(start: start, count: count)))
  }

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    if count == capacity { grow(by: 1) }
    unsafe start[count] = byte
    count += 1
  }

  /// Appends bytes that need no escape.
  mutating func append(_ text: Span<UInt8>) {
    unsafe text.withUnsafeBufferPointer { unsafe append($0) }
  }

  /// Appends text that needs no escape.
  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { unsafe append($0) }
  }

  private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
    guard let first = text.baseAddress else { return }
    if capacity - count < text.count { grow(by: text.count) }
    unsafe (start + count).update(from: first, count: text.count)
    count += text.count
  }

  /// Makes room for so many bytes more, and as many as there are.
  @inline(never)
  private mutating func grow(by more: Int) {
    capacity = max(2 * capacity, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    unsafe larger.update(from: start, count: count)
    unsafe start.deallocate()
    unsafe start = larger
  }
}
