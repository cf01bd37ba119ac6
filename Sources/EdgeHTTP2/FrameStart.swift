internal import EdgePolicy

/// How a frame begins: with nine bytes that say what follows (RFC 9113 §4.1); then, in DATA, how much of it is padding, and in PRIORITY
/// what that depends on.
struct FrameStart {
  let type: UInt8
  let flags: UInt8
  let length: Int
  let stream: StreamNumber
  /// How many bytes of DATA are padding, with the one that says so.
  private let paddingBytes: Int
  /// The stream that a PRIORITY depends on.
  private let dependency: StreamNumber?

  /// The first bytes of a frame, as many as are read of any.
  typealias Bytes = InlineArray<13, UInt8>

  /// - Parameter bytes: `headBytes` of them at least; those that `byteCount` then says, for the rest of it.
  init(_ bytes: Bytes) {
    length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
    type = bytes[3]
    flags = bytes[4]
    stream = StreamNumber(bytes, at: 5)
    let isPadded = type == Self.data && flags & Self.padded != 0 && length > 0
    paddingBytes = isPadded ? Int(bytes[Self.headBytes]) + 1 : 0
    let isPriority = type == Self.priority && length == Self.priorityBytes
    dependency = isPriority ? StreamNumber(bytes, at: Self.headBytes) : nil
  }

  /// How many bytes it is read from.
  var byteCount: Int { Self.headBytes + (dependency != nil ? Self.dependencyBytes : paddingBytes > 0 ? 1 : 0) }

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

  /// Whether it breaks a rule that the library leaves out: it skips PRIORITY, which needs a stream nevertheless (RFC 9113 §6.3), and
  /// another one to depend on (RFC 7540 §5.3.1).
  var isMisplaced: Bool { type == Self.priority && (stream == 0 || dependency == stream) }

  /// What the frame is charged to; nil for one that carries something.
  var floodKind: FloodBudget.Kind? {
    switch type {
    case Self.data: length <= paddingBytes && flags & Self.endStream == 0 ? .emptyData : nil
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

  /// How long the head of every frame is.
  static let headBytes = 9
  /// How long the payload of a PRIORITY is, and what of it is read (RFC 9113 §6.3).
  private static let priorityBytes = 5
  private static let dependencyBytes = 4

  private static let data: UInt8 = 0
  private static let headers: UInt8 = 1
  private static let priority: UInt8 = 2
  private static let resetStream: UInt8 = 3
  private static let settings: UInt8 = 4
  private static let ping: UInt8 = 6
  private static let windowUpdate: UInt8 = 8
  private static let continuation: UInt8 = 9
  private static let endStream: UInt8 = 1
  private static let padded: UInt8 = 8
  private static let acknowledgement: UInt8 = 1
}

extension StreamNumber {
  /// Reads four bytes, the first bit of which means something else.
  fileprivate init(_ bytes: FrameStart.Bytes, at offset: Int) {
    let (high, low) = (Int32(bytes[offset] & 0x7f) << 8 | Int32(bytes[offset + 1]), Int32(bytes[offset + 2]) << 8)
    self = high << 16 | low | Int32(bytes[offset + 3])
  }
}
