import COpenSSLMemory
import Foundation
import Testing

/// The memory itself; the programs of the end-to-end tests run OpenSSL in it. One test at a time: they count the slabs of the process.
@Suite(.serialized) struct `OpenSSL's memory` {
  @Test(arguments: [
    (1, 8), (8, 3), (9, 16), (16, 12), (1_017, 1_024), (1_025, 1_088), (8_129, 8_192), (16_385, 16_716), (17_408, 16_472),
  ])
  func `a block that is given back is the next one of about its size`(count: Int, next: Int) {
    onThread {
      let block = takeOfItsSize(count)
      let kept = openssl_memory_kept(next)
      give(block)
      #expect(openssl_memory_kept(next) == kept + 1)
      #expect(take(next) == block)
      #expect(openssl_memory_kept(next) == kept)
      give(block)
    }
  }

  @Test func `every block has the room that was asked for, where it is aligned enough`() {
    onThread {
      var random = SystemRandomNumberGenerator()
      var taken: [(block: UnsafeMutableRawBufferPointer, mark: UInt8)] = []
      for _ in 0..<20_000 {
        if Bool.random(using: &random), let index = taken.indices.randomElement(using: &random) {
          var (block, mark) = taken.remove(at: index)
          if Bool.random(using: &random) { block = resized(block, to: anyCount(&random)) }
          #expect(block.allSatisfy { $0 == mark })
          give(block.baseAddress)
        } else {
          let count = anyCount(&random)
          let block = UnsafeMutableRawBufferPointer(start: take(count), count: count)
          #expect(Int(bitPattern: block.baseAddress) % (count.isMultiple(of: 16) ? 16 : 8) == 0)
          let mark = UInt8.random(in: .min ... .max, using: &random)
          block.fill(mark)
          taken.append((block, mark))
        }
      }
      for (block, mark) in taken {
        #expect(block.allSatisfy { $0 == mark })
        give(block.baseAddress)
      }
    }
    #expect(openssl_memory_slabs() == 0)
  }

  @Test(arguments: [(100, openssl_memory_most_small), (7_608, openssl_memory_most_others), (16_716, openssl_memory_most_records)])
  func `a thread keeps so many of a size and no more`(count: Int, most: Int) {
    onThread {
      var highest = 0
      for block in (0..<100).map({ _ in takeOfItsSize(count) }) {
        give(block)
        highest = max(highest, openssl_memory_kept(count))
      }
      #expect(highest == most)
    }
  }

  @Test(arguments: [8_193, 16_384, 17_409, 20_000, 1 << 20])
  func `other sizes are not kept`(count: Int) {
    onThread {
      give(take(count))
      #expect(openssl_memory_kept(count) == 0)
    }
  }

  @Test func `nothing is allocated for nothing`() {
    onThread {
      #expect(take(0) == nil)
      give(nil)
      let block = take(100)
      let kept = openssl_memory_kept(100)
      #expect(openssl_memory_resize(block, 0, nil, 0) == nil)
      #expect(openssl_memory_kept(100) == kept + 1)
    }
  }

  @Test(arguments: [100, 16_716])
  func `a block may be given back on another thread, and goes with that one`(count: Int) {
    nonisolated(unsafe) var block: UnsafeMutableRawPointer?
    onThread { block = take(count) }
    onThread {
      give(block)
      #expect(openssl_memory_kept(count) == 1)
    }
    onThread { #expect(openssl_memory_kept(count) == 0) }
    #expect(openssl_memory_slabs() == 0)
  }

  @Test func `threads that give back each other's blocks lose none and share none`() {
    let board = Board()
    onThreads(4) { number in
      var random = SystemRandomNumberGenerator()
      for _ in 0..<5_000 {
        let count = Int.random(in: 16...256, using: &random)
        let block = UnsafeMutableRawBufferPointer(start: take(count), count: count)
        block.fill(UInt8(number))
        guard let other = board.swap(block, by: number) else { continue }
        #expect(other.block.allSatisfy { $0 == UInt8(other.owner) })
        give(other.block.baseAddress)
      }
    }
    #expect(openssl_memory_slabs() > 0)
    onThread {
      for block in board.clear() { give(block.baseAddress) }
    }
    #expect(openssl_memory_slabs() == 0)
  }

  @Test func `a slab that serves nobody serves another size`() {
    nonisolated(unsafe) var first: Set<Int> = []
    onThread { first = slabs(of: many(1_000)) }
    onThread { #expect(slabs(of: many(24)).isSubset(of: first)) }
  }

  @Test func `pages that nobody uses go back to the kernel, and nothing in use is lost`() {
    onThread {
      let blocks = many(112)
      for block in blocks { block.fill(0x5a) }
      let left = blocks.enumerated().filter { $0.offset.isMultiple(of: 500) }.map(\.element)
      for (index, block) in blocks.enumerated() where !index.isMultiple(of: 500) { give(block.baseAddress) }
      let pages = Set(blocks.map(page))
      #expect(pages.filter(isResident).count == pages.count)
      openssl_memory_trim()
      #expect(pages.filter(isResident).count < pages.count / 2)
      #expect(left.allSatisfy { $0.allSatisfy { $0 == 0x5a } })
      // What went is there again when it is wanted.
      let more = many(112)
      for block in more { block.fill(0xa5) }
      #expect(left.allSatisfy { $0.allSatisfy { $0 == 0x5a } })
      for block in left + more { give(block.baseAddress) }
    }
    #expect(openssl_memory_slabs() == 0)
  }

  @Test func `what is given back twice ends the process`() async {
    await #expect(processExitsWith: .signal(SIGABRT)) {
      onThread {
        let block = take(100)
        for _ in 0..<2 { give(block) }
      }
    }
  }
}

private func take(_ count: Int) -> UnsafeMutableRawPointer? { openssl_memory_take(count, nil, 0) }

/// Takes a block that counts as one of its size. Where the rest of a free block could not stand alone, malloc gives 16 bytes more than
/// it was asked for: such a record buffer is kept all the same, but one of another size may come first.
private func takeOfItsSize(_ count: Int) -> UnsafeMutableRawPointer? {
  guard count > Int(openssl_memory_largest_other) else { return take(count) }
  let before = openssl_memory_kept(count)
  for _ in 0..<1_000 {
    give(take(count))
    if openssl_memory_kept(count) > before { return take(count) }
  }
  return nil
}

private func give(_ block: UnsafeMutableRawPointer?) { openssl_memory_give(block, nil, 0) }

/// Blocks that fill some slabs.
private func many(_ count: Int) -> [UnsafeMutableRawBufferPointer] {
  (0..<500_000 / count).map { _ in UnsafeMutableRawBufferPointer(start: take(count), count: count) }
}

/// Where the slabs of blocks begin, which are given back.
private func slabs(of blocks: [UnsafeMutableRawBufferPointer]) -> Set<Int> {
  for block in blocks { give(block.baseAddress) }
  return Set(blocks.map { Int(bitPattern: $0.baseAddress) / 65_536 })
}

private let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))

/// The page that a block begins on.
private func page(of block: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawPointer? {
  UnsafeMutableRawPointer(bitPattern: Int(bitPattern: block.baseAddress) / pageBytes * pageBytes)
}

private func isResident(_ page: UnsafeMutableRawPointer?) -> Bool {
  var residence: UInt8 = 0
  return mincore(page, pageBytes, &residence) == 0 && residence & 1 == 1
}

/// A block after its size has changed, cut to what it held before.
private func resized(_ block: UnsafeMutableRawBufferPointer, to count: Int) -> UnsafeMutableRawBufferPointer {
  let start = openssl_memory_resize(block.baseAddress, count, nil, 0)
  return UnsafeMutableRawBufferPointer(start: start, count: min(block.count, count))
}

private func anyCount(_ random: inout some RandomNumberGenerator) -> Int {
  [1...64, 1...1_100, 900...9_000, 16_300...17_500].randomElement(using: &random).map { Int.random(in: $0, using: &random) } ?? 1
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func fill(_ byte: UInt8) {
    withMemoryRebound(to: UInt8.self) { $0.update(repeating: byte) }
  }
}

/// Where threads leave blocks for each other.
private final class Board: @unchecked Sendable {
  typealias Left = (block: UnsafeMutableRawBufferPointer, owner: Int)
  private let lock = NSLock()
  private var left: [Left] = []

  /// Leaves a block, and takes one away once there are many.
  func swap(_ block: UnsafeMutableRawBufferPointer, by owner: Int) -> Left? {
    lock.withLock {
      left.append((block, owner))
      return left.count > 100 ? left.remove(at: Int.random(in: 0..<100)) : nil
    }
  }

  func clear() -> [UnsafeMutableRawBufferPointer] {
    lock.withLock {
      defer { left = [] }
      return left.map(\.block)
    }
  }
}

/// Runs `body` on a thread of its own, which has kept nothing yet, and waits for its end. AddressSanitizer would find what the
/// thread does not free then.
private func onThread(_ body: @escaping @Sendable () -> Void) {
  onThreads(1) { _ in body() }
}

/// Runs `body` on threads of their own with their numbers, and waits for their ends, what they do last included.
private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  let threads = (0..<count).map { number in
    var thread = pthread_t()
    let task = Unmanaged.passRetained(ThreadBody { body(number) })
    let failure = pthread_create(&thread, nil, run, task.toOpaque())
    precondition(failure == 0)
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}

private final class ThreadBody {
  let body: () -> Void

  init(_ body: @escaping () -> Void) { self.body = body }
}

private func run(_ task: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  task.map { Unmanaged<ThreadBody>.fromOpaque($0).takeRetainedValue().body() }
  return nil
}
