import EdgeCore
import EdgeHTTP
import EdgeTLS
import EdgeWebSocket

/// A connection of HTTP/1.1 that one client has for itself: upgrades, and checks the 101 (RFC 6455 §4.1).
final class UpgradeCarrier: Carrier {
  private let client: Client
  private let opening: WorkerHandshake
  private var answers = ResponseHeadParser()
  private var isUpgraded = false

  init(_ client: Client, load: Load) throws(LoadFailure) {
    self.client = client
    let key = (0..<HandshakeKey.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &load.context.numbers) }
    opening = WorkerHandshake(key: HandshakeKey(randomBytes: key), subprotocols: load.context.target.subprotocols)
    try super.init(index: client.index, load: load)
    client.carried(by: self)
  }

  override func began() {
    var head = context.target.request
    for field in opening.fields { head.fields.add(field) }
    var bytes: [UInt8] = []
    head.serialize(into: &bytes)
    sendRaw(bytes.span)
  }

  override func received(_ bytes: Span<UInt8>) {
    guard !isUpgraded else { return client.receive(bytes) }
    guard let end = readAnswer(bytes) else { return }
    isUpgraded = true
    client.accepted()
    if end < bytes.count { client.receive(bytes.extracting(droppingFirst: end)) }
  }

  override func send(_ bytes: Span<UInt8>, of client: Client) {
    sendRaw(bytes)
  }

  override func close(_ client: Client) {
    end()
  }

  /// Returns where the frames begin, once the 101 is whole and checked.
  private func readAnswer(_ bytes: Span<UInt8>) -> Int? {
    do {
      guard case .complete(let head, let consumed) = try answers.receive(bytes) else { return nil }
      guard head.status == 101 else { throw LoadFailure.answer("\(head.status) \(head.reason)") }
      _ = try opening.check(head, sha1: Digest.sha1)
      return consumed
    } catch let failure as LoadFailure {
      fail(failure)
    } catch {
      fail(.answer("\(error)"))
    }
    return nil
  }
}
