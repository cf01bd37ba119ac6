import EdgeIO
import Testing

@testable import EdgeServer

@Suite struct `An outgoing socket` {
  @Test func `sends what it holds with the next bytes, in front of them`() throws {
    let pair = try Socket.pair()
    var outgoing = OutgoingSocket(pair.first)
    outgoing.hold([1, 2].span)
    outgoing.hold([3].span)
    #expect(outgoing.waitingBytes == 0, "nobody has to wait for the peer")
    #expect(outgoing.flush() == .sent)
    let hasSent = pair.second.hasInput()
    #expect(!hasSent)
    #expect(outgoing.send([4].span) == .sent)
    let together = received(from: pair.second)
    #expect(together == [1, 2, 3, 4])
    #expect(outgoing.send([5].span) == .sent)
    let alone = received(from: pair.second)
    #expect(alone == [5])
    #expect(outgoing.sentBytes == 5)
  }

  @Test func `puts what it is to hold behind what waits already`() throws {
    let pair = try Socket.pair()
    var outgoing = OutgoingSocket(pair.first)
    let chunk = [UInt8](repeating: 0, count: 65_536)
    var total = 0
    repeat { total += chunk.count } while outgoing.send(chunk.span) == .sent
    outgoing.hold([1].span)
    #expect(outgoing.waitingBytes > 1)
    var bytes: [UInt8] = []
    while bytes.count <= total {
      bytes += received(from: pair.second)
      _ = outgoing.flush()
    }
    #expect(bytes.count == total + 1)
    #expect(bytes.last == 1)
  }

  @Test func `holds nothing where there is nothing to hold`() throws {
    let pair = try Socket.pair()
    var outgoing = OutgoingSocket(pair.first)
    let nothing: [UInt8] = []
    outgoing.hold(nothing.span)
    let chunk = [UInt8](repeating: 0, count: 65_536)
    while outgoing.send(chunk.span) == .sent {}
    #expect(outgoing.waitingBytes > 0)
  }

  private func received(from socket: borrowing Socket) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var span = buffer.mutableSpan
    guard case .bytes(let count) = socket.receive(into: &span) else { return [] }
    return Array(buffer[..<count])
  }
}
