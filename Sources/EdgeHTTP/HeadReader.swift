/// How far a head has come.
public enum HeadProgress<Head: Sendable>: Sendable {
  /// All bytes were taken; the head is not whole.
  case needMore
  /// The head is whole. `consumed` counts bytes of the span just given; those after them belong to the body or the next head.
  case complete(Head, consumed: Int)
}

extension HeadProgress: Equatable where Head: Equatable {}

/// The first line of a head, and how it becomes the head when the fields are there.
protocol StartLine: Sendable {
  associatedtype Head: Sendable
  /// What a line beyond `maxLineBytes` is.
  static var tooLong: HTTPParseError { get }
  /// How many empty lines may come before it.
  static var leadingEmptyLines: Int { get }
  init(parsing line: Span<UInt8>) throws(HTTPParseError)
  func head(with fields: HTTPFields) throws(HTTPParseError) -> Head
}

/// Reads heads of one kind, one after the other.
struct HeadReader<Start: StartLine>: ~Copyable, Sendable {
  private let limits: HeadLimits
  private var lines = LineReader()
  private var state = State.startLine(emptyLines: 0)

  init(limits: HeadLimits) {
    self.limits = limits
  }

  var hasBegun: Bool { lines.hasBegun }

  mutating func receive(_ bytes: Span<UInt8>) throws(HTTPParseError) -> HeadProgress<Start.Head> {
    var offset = 0
    do throws(HTTPParseError) {
      while let line = try lines.read(bytes, from: &offset, limits: limits, tooLong: try state.tooLong) {
        let rest = bytes.count - offset
        let action =
          switch line {
          case .inInput(let range): try state.receivedLine(bytes.extracting(range), limits: limits, followedBy: rest)
          case .gathered(let line): try state.receivedLine(line.span, limits: limits, followedBy: rest)
          }
        switch action {
        case .readOn: lines.nextLine()
        case .finish(let head):
          lines.reset()
          return .complete(head, consumed: offset)
        }
      }
      return .needMore
    } catch {
      state = .failed(error)
      lines.reset()
      throw error
    }
  }

  private enum LineAction {
    case readOn
    case finish(Start.Head)
  }

  private enum State: ~Copyable, Sendable {
    case startLine(emptyLines: Int)
    case fields(Start, HTTPFields)
    case failed(HTTPParseError)

    /// What a longer line would be; throws the error that ended the reading earlier.
    var tooLong: HTTPParseError {
      get throws(HTTPParseError) {
        switch self {
        case .startLine: Start.tooLong
        case .fields: .fieldLineTooLong
        case .failed(let error): throw error
        }
      }
    }

    /// - Parameter rest: how many bytes have come behind the line.
    mutating func receivedLine(
      _ line: Span<UInt8>, limits: HeadLimits, followedBy rest: Int
    ) throws(HTTPParseError) -> LineAction {
      do throws(HTTPParseError) {
        switch consume self {
        case .startLine(let emptyLines):
          if line.isEmpty && emptyLines < Start.leadingEmptyLines {
            self = .startLine(emptyLines: emptyLines + 1)
          } else {
            let start = try Start(parsing: line)
            self = .fields(start, HTTPFields(minimumCapacity: usualFieldCount, lineBytes: min(rest, usualHeadBytes)))
          }
          return .readOn
        case .fields(let start, var fields):
          if line.isEmpty {
            let head = try start.head(with: fields)
            self = .startLine(emptyLines: 0)
            return .finish(head)
          }
          try fields.add(line: line, limits: limits)
          self = .fields(start, fields)
          return .readOn
        case .failed(let error):
          throw error
        }
      } catch {
        self = .failed(error)
        throw error
      }
    }
  }
}

/// As many fields as a browser sends; more make the storage grow.
private let usualFieldCount = 16
/// Few heads are larger, cookies and token included; what comes behind a head is not to be reserved for.
private let usualHeadBytes = 2048
