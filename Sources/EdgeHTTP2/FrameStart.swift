internal import EdgePolicy

/// The head of a frame: nine bytes that say what follows (RFC 9113 §4.1).
struct FrameStart {
  let type: UInt8
  let flags: UInt8
  let length: Int
  let stream: StreamNumber

  init(_ head: InlineArray<9, UInt8>) {
    length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
    type = head[3]
    flags = head[4]
    let number = UInt32(head[5]) << 24 | UInt32(head[6]) << 16 | UInt32(head[7]) << 8 | UInt32(head[8])
    stream = StreamNumber(number & 0x7fff_ffff)
  }

  /// How long a head is.
  static let byteCount = 9

  /// What the frame says of its stream.
  var role: Role {
    switch type {
    case Self.headers: .head
    case Self.continuation: .restOfHead
    case Self.data: .data
    case Self.resetStream: .reset
    default: .other
    }
  }

  /// What a frame may be to a stream.
  enum Role {
    case head
    case restOfHead
    case data
    case reset
    case other
  }

  /// Whether it breaks a rule that the library leaves out: it skips PRIORITY, which needs a stream nevertheless (RFC 9113 §6.3).
  var isMisplaced: Bool { type == Self.priority && stream == 0 }

  /// What the frame is charged to; nil for one that carries something.
  var floodKind: FloodBudget.Kind? {
    switch type {
    case Self.data: length == 0 && flags & Self.endStream == 0 ? .emptyData : nil
    case Self.resetStream: .resetReceived
    // An acknowledgement is an answer to ours; more of them than that are an error.
    case Self.settings: flags & Self.acknowledgement == 0 ? .settings : nil
    // We send no PING, so that an acknowledgement answers nothing.
    case Self.ping: .ping
    case Self.windowUpdate: .windowUpdate
    case Self.continuation: .continuation
    case Self.priority: .priority
    // The library skips what it does not know, and never tells of it.
    default: nil
    }
  }

  private static let data: UInt8 = 0
  private static let headers: UInt8 = 1
  private static let priority: UInt8 = 2
  private static let resetStream: UInt8 = 3
  private static let settings: UInt8 = 4
  private static let ping: UInt8 = 6
  private static let windowUpdate: UInt8 = 8
  private static let continuation: UInt8 = 9
  private static let endStream: UInt8 = 1
  private static let acknowledgement: UInt8 = 1
}
