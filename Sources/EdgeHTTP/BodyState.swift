/// Where in a body its decoder is.
enum BodyState: ~Copyable, Sendable {
  case data(BodyData)
  case framing(ChunkFraming)
  case trailers(TrailerReader)
  case ended
  case failed(HTTPParseError)

  /// - Returns: a step for the caller, or nil when only the state has changed.
  mutating func received(_ bytes: Span<UInt8>, at position: inout Int) throws(HTTPParseError) -> BodyStep? {
    do throws(HTTPParseError) {
      switch consume self {
      case .data(let data):
        let taken = data.bytesToTake(of: bytes.count - position)
        self = data.after(taken)
        return taken == 0 ? .needMore : .data(position..<position + taken)
      case .framing(let framing):
        guard position < bytes.count else {
          self = .framing(framing)
          return .needMore
        }
        self = try framing.after(bytes[position])
        position += 1
        return nil
      case .trailers(var trailers):
        let isWhole = try trailers.receive(bytes, from: &position)
        self = isWhole ? .ended : .trailers(trailers)
        return isWhole ? nil : .needMore
      case .ended:
        self = .ended
        return .end(at: position)
      case .failed(let error):
        throw error
      }
    } catch {
      self = .failed(error)
      throw error
    }
  }

  mutating func receivedEnd() throws(HTTPParseError) {
    do throws(HTTPParseError) {
      switch consume self {
      case .data(.untilClose): self = .ended
      case .ended: self = .ended
      case .data: throw .truncated
      case .framing: throw .truncated
      case .trailers: throw .truncated
      case .failed(let error): throw error
      }
    } catch {
      self = .failed(error)
      throw error
    }
  }
}

/// Data that is due, and what follows it.
enum BodyData: Sendable {
  /// At least one byte is left; then the body ends.
  case length(left: UInt64)
  /// At least one byte is left; then the framing goes on.
  case chunk(left: UInt64, ChunkFraming)
  case untilClose

  func bytesToTake(of available: Int) -> Int {
    switch self {
    case .length(let left), .chunk(let left, _): Int(min(left, UInt64(available)))
    case .untilClose: available
    }
  }

  func after(_ taken: Int) -> BodyState {
    switch self {
    case .length(let left):
      left == UInt64(taken) ? .ended : .data(.length(left: left - UInt64(taken)))
    case .chunk(let left, let framing):
      left == UInt64(taken) ? .framing(framing) : .data(.chunk(left: left - UInt64(taken), framing))
    case .untilClose: .data(.untilClose)
    }
  }
}

/// Checks the field lines after the last chunk, which are dropped (RFC 9112 §7.1.2).
struct TrailerReader: Sendable {
  private var lines = LineReader()
  private var fieldCount = 0

  /// - Returns: whether the empty line that ends the message was taken.
  mutating func receive(_ bytes: Span<UInt8>, from offset: inout Int) throws(HTTPParseError) -> Bool {
    while let line = try lines.read(bytes, from: &offset, limits: trailerLimits, tooLong: .fieldLineTooLong) {
      switch line {
      case .inInput(let range) where range.isEmpty: return true
      case .inInput(let range): _ = try FieldPlace(parsing: bytes.extracting(range))
      case .gathered(let line): _ = try FieldPlace(parsing: line.span)
      }
      fieldCount += 1
      guard fieldCount <= trailerLimits.maxFieldCount else { throw .tooManyFields }
      lines.nextLine()
    }
    return false
  }
}

private let trailerLimits = HeadLimits(maxLineBytes: 4096, maxFieldCount: 32, maxHeadBytes: 8192)
