import COpenSSLMemory
import Foundation
import Testing

/// The memory itself; the programs of the end-to-end tests run OpenSSL in it.
@Suite struct `OpenSSL's memory` {
  @Test(arguments: [
    (1, 24), (24, 3), (25, 40), (40, 33), (1_017, 1_032), (16_385, 16_716), (17_408, 16_472),
  ])
  func `a block that is given back is the next one of about its size`(count: Int, next: Int) {
    onThread {
      let block = takeOfItsSize(count)
      give(block)
      #expect(openssl_memory_kept(next) == 1)
      #expect(take(next) == block)
      #expect(openssl_memory_kept(next) == 0)
      give(block)
    }
  }

  @Test func `every block has the room that was asked for`() {
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
  }

  @Test(arguments: [(100, openssl_memory_most_small), (16_716, openssl_memory_most_records)])
  func `a thread keeps so many of a size and no more`(count: Int, most: Int) {
    onThread {
      let blocks = (0..<100).map { _ in takeOfItsSize(count) }
      blocks.forEach(give)
      #expect(openssl_memory_kept(count) == most)
    }
  }

  @Test(arguments: [1_033, 8_192, 16_384, 17_409, 20_000, 1 << 20])
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
      #expect(openssl_memory_resize(takeOfItsSize(100), 0, nil, 0) == nil)
      #expect(openssl_memory_kept(100) == 1)
    }
  }

  @Test func `a block may be given back on another thread, and goes with that one`() {
    nonisolated(unsafe) var block: UnsafeMutableRawPointer?
    onThread { block = take(16_716) }
    onThread {
      give(block)
      #expect(openssl_memory_kept(16_716) == 1)
    }
    onThread { #expect(openssl_memory_kept(16_716) == 0) }
  }
}

private func take(_ count: Int) -> UnsafeMutableRawPointer? { openssl_memory_take(count, nil, 0) }

/// Takes a block that counts as one of its size. Where the rest of a free block could not stand alone, malloc gives 16 bytes more than
/// it was asked for: that block will be kept as one of the next size.
private func takeOfItsSize(_ count: Int) -> UnsafeMutableRawPointer? {
  let before = openssl_memory_kept(count)
  for _ in 0..<1_000 {
    give(take(count))
    if openssl_memory_kept(count) > before { return take(count) }
  }
  return nil
}

private func give(_ block: UnsafeMutableRawPointer?) { openssl_memory_give(block, nil, 0) }

/// A block after its size has changed, cut to what it held before.
private func resized(_ block: UnsafeMutableRawBufferPointer, to count: Int) -> UnsafeMutableRawBufferPointer {
  let start = openssl_memory_resize(block.baseAddress, count, nil, 0)
  return UnsafeMutableRawBufferPointer(start: start, count: min(block.count, count))
}

private func anyCount(_ random: inout some RandomNumberGenerator) -> Int {
  [1...64, 1...1_100, 16_300...17_500].randomElement(using: &random).map { Int.random(in: $0, using: &random) } ?? 1
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func fill(_ byte: UInt8) {
    withMemoryRebound(to: UInt8.self) { $0.update(repeating: byte) }
  }
}

/// Runs `body` on a thread of its own, which has kept nothing yet, and waits for its end. AddressSanitizer would find what the
/// thread does not free then.
private func onThread(_ body: @escaping @Sendable () -> Void) {
  let done = DispatchSemaphore(value: 0)
  Thread {
    body()
    done.signal()
  }.start()
  done.wait()
}
