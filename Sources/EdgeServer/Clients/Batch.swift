/// Elements that are put in one after the other, and then taken out in the same order.
///
/// The room is fixed. Unlike an array, which may have to grow, it runs no other code when something is put in, and so needs no
/// check for exclusive access at run time (`scripts/bench --parts instructions`: with arrays 450 user instructions more an echo).
@safe
struct Batch<Element: ~Copyable>: ~Copyable {
  private let elements: UnsafeMutablePointer<Element>
  private let capacity: Int
  private var taken = 0
  private var count = 0

  /// Makes an empty one.
  init(capacity: Int) {
    self.capacity = capacity
    unsafe elements = .allocate(capacity: capacity)
  }

  deinit {
    unsafe (elements + taken).deinitialize(count: count - taken)
    unsafe elements.deallocate()
  }

  /// Whether there is no room for another element.
  var isFull: Bool { count == capacity }

  /// Whether nothing is left to take out.
  var isEmpty: Bool { taken == count }

  mutating func put(_ element: consuming Element) {
    precondition(!isFull)
    unsafe (elements + count).initialize(to: element)
    count += 1
  }

  /// Takes the oldest element out. All have to be, before there is room again.
  mutating func take() -> Element? {
    guard !isEmpty else { return nil }
    let element = unsafe (elements + taken).move()
    taken += 1
    if isEmpty { (taken, count) = (0, 0) }
    return element
  }
}
