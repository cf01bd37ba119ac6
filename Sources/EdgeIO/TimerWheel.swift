public import EdgeCore

/// Deadlines of numbered timers, in a hierarchy of wheels: setting, cancelling and firing take constant time.
///
/// Pure: it is told the time. A timer never fires early, and at most one tick (2²⁰ ns, about 1.05 ms) late. Of two timers
/// the one with the earlier tick fires first; within a tick the order is unspecified.
///
/// Eight levels of 64 lists span every `Instant`. A timer is in the level of the highest base-64 digit in which its tick
/// differs from the current tick, in the list of that digit; so each level's list with the lowest number is its next, and
/// any list of a lower level comes before every list of a higher one. When the time of a list on a higher level
/// comes, its timers move down.
public struct TimerWheel {
  private var nodes: [Node]
  private var occupied = InlineArray<8, UInt64>(repeating: 0)
  private var currentTick: UInt64

  /// Makes a wheel without timers.
  public init(now: Instant) {
    currentTick = now.nanoseconds >> tickShift
    nodes = (0..<firstTimer).map { Node(next: Int32($0), previous: Int32($0)) }
  }

  /// Sets a timer, or sets it anew.
  ///
  /// - Parameters:
  ///   - timer: its number, from 0; memory is held for every number up to the largest one used (24 bytes each).
  ///   - deadline: when it is due; a moment that is past means the next tick.
  public mutating func set(_ timer: Int, at deadline: Instant) {
    let node = firstTimer + timer
    while nodes.count <= node { nodes.append(Node(next: Int32(nodes.count), previous: Int32(nodes.count))) }
    if nodes[node].list != noList { unlink(node) }
    nodes[node].tick = max(currentTick + 1, firstTick(notBefore: deadline))
    link(node)
  }

  /// Unsets a timer, if it is set.
  public mutating func cancel(_ timer: Int) {
    let node = firstTimer + timer
    guard node < nodes.count, nodes[node].list != noList else { return }
    unlink(node)
  }

  /// When `popDue` should be called next, or nil if no timer is set. May be before the first deadline, never after it.
  public var nextWake: Instant? {
    if nodes[dueList].next != dueList { return Instant(nanoseconds: currentTick << tickShift) }
    return nextList().map { Instant(nanoseconds: $0.tick << tickShift) }
  }

  /// Takes out one timer that is due at `now`, earliest first. One that is set meanwhile is not due before a later `now`.
  public mutating func popDue(at now: Instant) -> Int? {
    if nodes[dueList].next == dueList { advance(to: now) }
    let node = Int(nodes[dueList].next)
    guard node != dueList else { return nil }
    unlink(node)
    return node - firstTimer
  }

  /// Moves the time forward, and what is due at `now` to its list.
  private mutating func advance(to now: Instant) {
    let tick = now.nanoseconds >> tickShift
    while let next = nextList(), next.tick <= tick {
      currentTick = next.tick
      moveDown(next.list)
    }
    currentTick = max(currentTick, tick)
  }

  /// The list whose time comes next.
  private func nextList() -> (list: Int, tick: UInt64)? {
    for level in 0..<levels where occupied[level] != 0 {
      let digit = occupied[level].trailingZeroBitCount
      let shift = digitBits * level
      let higherDigits = currentTick & ~(1 << (shift + digitBits) - 1)
      return (level * listsPerLevel + digit, higherDigits | UInt64(digit) << shift)
    }
    return nil
  }

  private mutating func moveDown(_ list: Int) {
    while nodes[list].next != list {
      let node = Int(nodes[list].next)
      unlink(node)
      link(node)
    }
  }

  private mutating func link(_ node: Int) {
    let tick = nodes[node].tick
    guard tick > currentTick else { return append(node, to: dueList) }
    let level = (UInt64.bitWidth - 1 - (tick ^ currentTick).leadingZeroBitCount) / digitBits
    let digit = Int(tick >> (digitBits * level)) & (listsPerLevel - 1)
    occupied[level] |= 1 << digit
    append(node, to: level * listsPerLevel + digit)
  }

  private mutating func append(_ node: Int, to list: Int) {
    let last = Int(nodes[list].previous)
    nodes[node].list = Int16(list)
    nodes[node].previous = Int32(last)
    nodes[node].next = Int32(list)
    nodes[last].next = Int32(node)
    nodes[list].previous = Int32(node)
  }

  private mutating func unlink(_ node: Int) {
    let list = Int(nodes[node].list)
    let next = Int(nodes[node].next)
    let previous = Int(nodes[node].previous)
    nodes[previous].next = Int32(next)
    nodes[next].previous = Int32(previous)
    nodes[node].list = noList
    if next == previous && next == list && list != dueList {
      occupied[list / listsPerLevel] &= ~(1 << (list % listsPerLevel))
    }
  }
}

/// A timer, or the head of a list; lists are circular, linked by position in `nodes`.
private struct Node {
  var tick: UInt64 = 0
  var next: Int32
  var previous: Int32
  var list: Int16 = noList
}

private func firstTick(notBefore deadline: Instant) -> UInt64 {
  let (whole, rest) = (deadline.nanoseconds >> tickShift, deadline.nanoseconds & (1 << tickShift - 1))
  return rest == 0 ? whole : min(whole + 1, lastTick)
}

private let tickShift: UInt64 = 20
private let lastTick = UInt64.max >> tickShift
private let digitBits = 6
private let listsPerLevel = 64
private let levels = 8
private let dueList = levels * listsPerLevel
private let firstTimer = dueList + 1
private let noList: Int16 = -1
