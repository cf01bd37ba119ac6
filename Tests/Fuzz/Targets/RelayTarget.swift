import EdgeCore
import EdgePolicy
import EdgeRelay
import EdgeWebSocket

/// One WebSocket between a client and a worker, either of which may do anything at any time, under limits that change.
///
/// The first byte of the input chooses the limits; the rest is a script of what happens (`RelayCourse.happens`).
func fuzzRelay(_ input: [UInt8]) throws(BrokenClaim) {
  var script = Script(input)
  guard let choice = script.byte() else { return }
  let course = RelayCourse(choice)
  while let event = script.byte() {
    let (clientWasDone, workerWasDone) = (course.isClientFinished, course.isWorkerFinished)
    let (toClient, toWorker) = (course.toClient.count, course.toWorker.count)
    try course.happens(event, &script)
    if clientWasDone { try claim("a client hears nothing after its end", course.toClient.count, equals: toClient) }
    if workerWasDone { try claim("a worker hears nothing after its end", course.toWorker.count, equals: toWorker) }
  }
  try claimSound(course)
  try course.close()
  try claim("a connection that is closed ends in time", course.isClientFinished && course.isWorkerFinished)
  try claim("an end has a beginning", course.hasEnding)
  try claimSound(course)
}

private func claimSound(_ course: RelayCourse) throws(BrokenClaim) {
  let worker = Delivery(course.toWorker, from: .client)
  try claim("a worker hears frames that keep the rules, up to one Close", worker.isSound)
  try claim("a worker hears the messages that passed, whole", worker.messages, equals: course.passedToWorker)
  let client = Delivery(course.toClient, from: .worker)
  try claim("a client hears frames that keep the rules, up to one Close", client.isSound)
  try claim("a client hears the messages that passed, and the edge's own, whole", client.messages, equals: course.passedToClient)
  try claim("a client hears every ping of the edge's", client.pings.isSuperset(of: course.nonces))
  try claim("no more messages pass than their limit allows", course.passedToWorker.count <= course.allowedMessages)
}

/// What a reader makes of all that one side got.
private struct Delivery {
  private(set) var messages: [Int] = []
  private(set) var pings: Set<UInt64> = []
  /// Whether no rule is broken, and nothing follows a Close.
  private(set) var isSound = true

  init(_ bytes: [UInt8], from sender: FrameSender) {
    var reader = FrameReader(sender: sender, maxMessageBytes: .max, checksUTF8: true)
    var offset = 0
    var messageBytes = 0
    while isSound {
      switch try? reader.next(bytes.span, at: offset) {
      case nil: isSound = false
      case .needMore: return
      case .afterClose:
        isSound = offset == bytes.count
        return
      case .data(let header, let startsMessage, let end):
        messageBytes = (startsMessage ? 0 : messageBytes) + header.payloadLength
        offset = end
      case .payload(let end, endsFrame: _, let endsMessage):
        if endsMessage { messages.append(messageBytes) }
        offset = end
      case .ping(let body, let end):
        pings.insert(bytes[body.range].reduce(0) { $0 << 8 | UInt64($1) })
        offset = end
      case .pong(_, let end), .close(_, reason: _, let end): offset = end
      }
    }
  }
}
