internal import EdgeCore
internal import Synchronization

/// Log lines on their way from the reactors to the thread that writes them.
///
/// Bounded in bytes and records: when the writer is behind, as on a full disk, new lines are dropped and counted, and
/// no reactor waits.
/// A reactor holds the lock only to copy one line, a writer only to swap batches.
public final class LogQueue: Sendable {
  /// What became of a line.
  public enum Outcome: Sendable {
    /// It is the first one waiting: the writer must be woken.
    case queuedFirst
    /// It waits behind others.
    case queued
    /// There was no room.
    case dropped
  }

  /// What waited for the writer.
  public struct Batch: Equatable, Sendable {
    /// Whole lines, oldest first.
    public var bytes: [UInt8] = []
    /// How many lines that is.
    public var records = 0
    /// How many lines were dropped since the batch before: worth a line of its own.
    public var dropped: UInt64 = 0

    /// Makes an empty batch.
    public init() {}

    /// Empties the batch, and keeps its room but for what only a burst needs.
    fileprivate mutating func clear() {
      bytes.removeAll(keepingCapacity: bytes.capacity <= maxKeptBytes)
      records = 0
      dropped = 0
    }
  }

  private let maxBytes: Int
  private let maxRecords: Int
  private let waiting = Guarded(Batch())
  private let droppedTotal = Atomic<UInt64>(0)

  /// Makes a queue that holds at most `maxBytes` bytes in at most `maxRecords` lines.
  public init(maxBytes: Int = 4 << 20, maxRecords: Int = 65_536) {
    self.maxBytes = maxBytes
    self.maxRecords = maxRecords
  }

  /// Ends a line and adds it, if there is room.
  public func offer(_ line: consuming LogLine) -> Outcome {
    line.end { offer($0) }
  }

  /// Adds one whole line, if there is room.
  func offer(_ line: Span<UInt8>) -> Outcome {
    let outcome = waiting.withLock { batch -> Outcome in
      guard batch.records < maxRecords, batch.bytes.count + line.count <= maxBytes else {
        batch.dropped += 1
        return .dropped
      }
      unsafe line.withUnsafeBufferPointer { unsafe batch.bytes.append(contentsOf: $0) }
      batch.records += 1
      return batch.records == 1 ? .queuedFirst : .queued
    }
    if outcome == .dropped { droppedTotal.add(1, ordering: .relaxed) }
    return outcome
  }

  /// Makes `batch` everything that waits, empty if nothing does. Whoever is told `queuedFirst` after this wakes the writer again.
  ///
  /// - Parameter batch: one that has been dealt with, whose room the next lines get; at first an empty one.
  public func exchange(_ batch: inout Batch) {
    batch.clear()
    waiting.withLock { swap(&$0, &batch) }
  }

  /// Lines dropped since the start, lines the writer gave up included; any thread may ask.
  public var droppedRecords: UInt64 { droppedTotal.load(ordering: .relaxed) }

  /// Counts lines that were taken and could not be written; the next batch tells of them.
  ///
  /// - Parameter untold: how many dropped lines the batch would have told of, if that could not be written either.
  public func countLost(records: Int, untold: UInt64) {
    guard records > 0 || untold > 0 else { return }
    droppedTotal.add(UInt64(records), ordering: .relaxed)
    waiting.withLock { $0.dropped += UInt64(records) + untold }
  }
}

/// The most room that a batch keeps for the next one.
private let maxKeptBytes = 1 << 18
