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
    makeRoom(for: 1)
    put(byte)
  }

  /// Appends bytes that need no escape.
  mutating func append(_ text: Span<UInt8>) {
    makeRoom(for: text.count)
    unsafe text.withUnsafeBufferPointer { unsafe put($0) }
  }

  /// Appends text that needs no escape.
  mutating func append(_ text: StaticString) {
    makeRoom(for: text.utf8CodeUnitCount)
    text.withUTF8Buffer { unsafe put($0) }
  }

  /// Appends a whole number in decimal digits.
  mutating func appendDecimal(_ number: UInt64) {
    makeRoom(for: 20)
    putDecimal(number)
  }

  /// Appends a further member's name in a JSON object, and what stands around it.
  mutating func appendMember(_ name: StaticString) {
    makeRoom(for: name.utf8CodeUnitCount + 4)
    put(UInt8(ascii: ","))
    put(UInt8(ascii: "\""))
    name.withUTF8Buffer { unsafe put($0) }
    put(UInt8(ascii: "\""))
    put(UInt8(ascii: ":"))
  }

  /// Appends bytes that need no escape, in quotation marks.
  mutating func appendQuoted(_ text: Span<UInt8>) {
    makeRoom(for: text.count + 2)
    put(UInt8(ascii: "\""))
    unsafe text.withUnsafeBufferPointer { unsafe put($0) }
    put(UInt8(ascii: "\""))
  }

  /// Room must have been made for it.
  @inline(__always)
  private mutating func put(_ byte: UInt8) {
    unsafe start[count] = byte
    count += 1
  }

  /// Room must have been made for it.
  @inline(__always)
  private mutating func put(_ text: UnsafeBufferPointer<UInt8>) {
    guard let first = text.baseAddress else { return }
    unsafe (start + count).initialize(from: first, count: text.count)
    count += text.count
  }

  /// Room must have been made for it.
  private mutating func putDecimal(_ number: UInt64) {
    if number >= 10 { putDecimal(number / 10) }
    put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
  }

  @inline(__always)
  private mutating func makeRoom(for more: Int) {
    if capacity - count < more { grow(by: more) }
  }

  /// Makes room for so many bytes more, and as many as there are.
  @inline(never)
  private mutating func grow(by more: Int) {
    capacity = max(2 * capacity, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    unsafe larger.moveInitialize(from: start, count: count)
    unsafe start.deallocate()
    unsafe start = larger
  }
}
