/// The bytes of one turn that are forwarded together.
struct ForwardingBatch {
  var start: Int
  private(set) var end: Int
  /// Whether something other than whole messages came: only that can end a connection.
  var mayEnd = false
  /// Whether a message ends in what is forwarded next whose way through the edge is timed.
  var isTimed = false

  init(start: Int) {
    self.start = start
    end = start
  }

  mutating func pass(_ end: Int, isWholeMessage: Bool) {
    self.end = end
    if !isWholeMessage { mayEnd = true }
  }

  mutating func skip(_ end: Int) {
    start = end
    self.end = end
    mayEnd = true
  }
}
