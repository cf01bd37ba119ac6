import EdgeCore
import EdgeHTTP
import EdgeWebSocket

/// A path has one meaning, however often and by whomever it is normalised (RFC 3986 §6).
func claimOnePath(_ target: RequestTarget) throws(BrokenClaim) {
  guard target != .asterisk else { return }
  try claim("a normal form is its own normal form", try? RequestTarget(parsing: target.description), equals: target)
  guard let decoded = PercentEncoding.decode(Array(target.path.utf8)) else {
    throw BrokenClaim(claim: "a path can be decoded; seen: \(target.path)")
  }
  let segments = decoded.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  for segment in segments.dropFirst().dropLast() { try claim("no empty segment is left", !segment.isEmpty) }
  for segment in segments {
    try claim("no dot segment is left, escaped or not", !segment.elementsEqual(".".utf8) && !segment.elementsEqual("..".utf8))
    let isPlain = segment.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: ";") }
    try claim("no control, backslash or parameter is left, escaped or not", isPlain)
  }
}

/// A worker is asked for what the client asked, and hears nothing that is the edge's to say.
func claimNothingSmuggled(from head: RequestHead) throws(BrokenClaim) {
  let opensWebSocket = OpeningRequest.isAttempt(head)
  // A handshake that is wrong is refused, and nothing of it passes.
  if opensWebSocket, (try? OpeningRequest(checking: head)) == nil { return }
  let request =
    opensWebSocket
    ? WorkerRequest(upgrading: head, context: context, handshake: ["Upgrade": "websocket", "Connection": "Upgrade"])
    : WorkerRequest(head, context: context)
  for (name, values) in edgesWord {
    let said = request.fields.filter { isSpelling($0.name, of: name) }.map(\.value)
    try claim("only the edge speaks for itself", said, equals: values)
  }
  for name in connectionNames where !opensWebSocket || !["Upgrade", "Connection"].contains(name) {
    let isGone = !request.fields.contains { isSpelling($0.name, of: name) }
    try claim("nothing about the client's connection passes", isGone, name)
  }
  // Only HTTP/1.0 has requests without a host; the edge's parser wants one.
  guard head.authority != nil else { return }
  var bytes: [UInt8] = []
  request.serialize(into: &bytes)
  guard let received = parsedRequest(bytes) else {
    throw BrokenClaim(claim: "a worker can read its request; seen: \(String(decoding: bytes, as: UTF8.self))")
  }
  try claim("the worker reads the fields that were meant", received.fields, equals: request.fields)
  try claim("the worker is asked for what the client asked", received.target, equals: head.target)
  try claim("the worker is asked in the client's way", received.method, equals: opensWebSocket ? "GET" : head.method)
  try claim("worker and edge agree on the host", received.authority, equals: head.authority)
  let framing = head.bodyFraming == .untilClose ? .chunked : head.bodyFraming
  try claim("worker and edge agree where the body ends", received.bodyFraming, equals: opensWebSocket ? .none : framing)
}

/// Reads exactly one head.
func parsedRequest(_ bytes: [UInt8]) -> RequestHead? {
  var parser = RequestHeadParser()
  guard case .complete(let head, bytes.count) = try? parser.receive(bytes.span) else { return nil }
  return head
}

/// Whether a worker behind a gateway interface could take one name for the other: both become `HTTP_X_SLUICE_USER`, say.
private func isSpelling(_ name: String, of other: String) -> Bool {
  let sign = { (byte: UInt8) in ASCII.isLetter(byte) || ASCII.isDigit(byte) ? ASCII.lowercased(byte) : UInt8(ascii: "_") }
  return name.utf8.elementsEqual(other.utf8) { sign($0) == sign($1) }
}

private let context = ForwardingContext(
  clientChain: [IPAddress(v4: 0xCB00_7109)], scheme: .https, port: 443, requestID: "r-1",
  traceParent: TraceParent(random: (7, 7, 7)),
  identityFields: [HTTPField(name: "X-Sluice-User", value: "alice")], identityNames: ["X-Sluice-User", "X-Sluice-Role"])

private let edgesWord: [(name: String, values: [String])] = [
  ("X-Sluice-User", ["alice"]), ("X-Sluice-Role", []), ("X-Forwarded-For", ["203.0.113.9"]), ("X-Real-IP", ["203.0.113.9"]),
  ("X-Forwarded-Proto", ["https"]), ("X-Request-ID", ["r-1"]), ("X-Client-Cert-Subject", []), ("X-Original-URL", []),
  ("Sec-WebSocket-Key", []),
]

private let connectionNames = [
  "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "HTTP2-Settings", "Proxy", "Proxy-Authorization",
]
