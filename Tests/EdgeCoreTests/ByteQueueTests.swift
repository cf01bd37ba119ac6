import EdgeCore
import Testing

@Suite struct `A byte queue` {
  @Test func `gives bytes back in the order they came`() {
    var queue = ByteQueue()
    queue.append([1, 2, 3])
    queue.removeFirst(2)
    queue.append([4, 5])
    #expect(queue.count == 3)
    #expect(queue.withBytes(Array.init(copying:)) == [3, 4, 5])
    queue.removeFirst(3)
    #expect(queue.isEmpty)
  }

  @Test func `moves its oldest bytes to where there is room`() {
    var queue = ByteQueue()
    queue.append([1, 2, 3, 4, 5])
    queue.removeFirst(1)
    var room: [UInt8] = [9, 9, 9, 9]
    var span = room.mutableSpan
    queue.take(3, into: &span)
    #expect(room == [2, 3, 4, 9] && queue.count == 1)
    var rest = room.mutableSpan
    queue.take(0, into: &rest)
    queue.take(1, into: &rest)
    #expect(room == [5, 3, 4, 9] && queue.isEmpty)
  }

  @Test func `keeps order across its own compaction`() {
    var queue = ByteQueue()
    var sent: UInt8 = 0
    var received: UInt8 = 0
    for _ in 0..<200 {
      queue.append(
        (0..<1000).map { _ in
          defer { sent &+= 1 }
          return sent
        })
      while queue.count > 500 {
        let bytes = queue.withBytes { Array(copying: $0.extracting(first: 400)) }
        for byte in bytes {
          #expect(byte == received)
          received &+= 1
        }
        queue.removeFirst(400)
      }
    }
  }
}

extension Array where Element == UInt8 {
  init(copying bytes: Span<UInt8>) {
    self = bytes.indices.map { bytes[$0] }
  }
}
