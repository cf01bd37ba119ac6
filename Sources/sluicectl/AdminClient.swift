import CCurl
import ControlCore
import EdgeCore
import EdgeIO
import Glibc

/// Speaks with the admin plane of one edge, one request at a time, on the calling thread.
///
/// Redirects are not followed, proxies of the environment not asked; an answer is bounded in size and time.
final class AdminClient {
  private let server: ServerAddress
  private let token: String?
  private let timeout: Duration
  private var handle: CurlHandle
  /// Asked about once a second while an answer is awaited; true ends the wait.
  var isCancelled: () -> Bool = { false }

  /// Makes a client; nothing is sent yet.
  init(server: ServerAddress, token: String?, timeout: Duration) throws(ControlFailure) {
    guard CurlHandle.isLibraryReady, let handle = CurlHandle() else { throw .failed("libcurl cannot start") }
    self.server = server
    self.token = token
    self.timeout = timeout
    self.handle = handle
  }

  /// Asks, and waits for the whole answer.
  ///
  /// - Throws: `ControlFailure` for a refusal, too.
  func ask(_ request: APIRequest) throws(ControlFailure) -> [UInt8] {
    var body: [UInt8] = []
    var isTooLarge = false
    let status = try send(request, within: timeout) { bytes, _ in
      isTooLarge = body.count + bytes.count > maxBodyBytes
      if !isTooLarge { body += bytes }
      return !isTooLarge
    }
    if isTooLarge { throw .failed("The answer has more than \(maxBodyBytes) bytes.") }
    guard (200..<300).contains(status) else {
      throw ControlFailure(status: status, problem: try? JSON(parsing: body), target: request.target)
    }
    return body
  }

  /// Asks for an answer that has no end, and hands its bytes on as they come.
  ///
  /// - Parameter receive: says whether it wants more.
  /// - Throws: `ControlFailure`, also where the edge ends the stream or is silent for longer than it says it will be.
  func stream(_ request: APIRequest, receive: @escaping ([UInt8]) -> Bool) throws(ControlFailure) {
    var refusal: [UInt8] = []
    var isDone = false
    let status = try send(request, within: nil) { bytes, status in
      guard status == 200 else {
        if refusal.count + bytes.count <= maxBodyBytes { refusal += bytes }
        return true
      }
      isDone = !receive(bytes)
      return !isDone
    }
    guard status == 200 else {
      throw ControlFailure(status: status, problem: try? JSON(parsing: refusal), target: request.target)
    }
    if !isDone { throw .unreachable("The edge ended the stream.") }
  }

  /// - Returns: the status.
  private func send(
    _ request: APIRequest, within limit: Duration?, receive: @escaping (_ bytes: [UInt8], _ status: Int) -> Bool
  ) throws(ControlFailure) -> Int {
    do throws(TransportError) {
      try prepare(request, within: limit)
      // The status is asked of the handle, which the closure must not hold.
      let status = { [unowned self] in handle.status }
      var isDone = false
      do throws(TransportError) {
        try handle.perform(
          Transfer(isCancelled: isCancelled) { bytes in
            isDone = !receive(bytes, status())
            return !isDone
          })
      } catch {
        guard case .refusedByReceiver = error, isDone else { throw error }
      }
      return handle.status
    } catch {
      throw failure(error)
    }
  }

  private func prepare(_ request: APIRequest, within limit: Duration?) throws(TransportError) {
    try handle.reset()
    if case .unix(let path) = server { try handle.set(CURLOPT_UNIX_SOCKET_PATH, path) }
    try handle.set(CURLOPT_URL, server.base + request.target)
    try handle.set(CURLOPT_PATH_AS_IS, 1)
    try handle.set(CURLOPT_PROTOCOLS_STR, "http")
    try handle.set(CURLOPT_FOLLOWLOCATION, 0)
    // An empty text, unlike none, keeps the proxies of the environment out.
    try handle.set(CURLOPT_PROXY, "")
    try handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    try handle.set(CURLOPT_USERAGENT, "sluicectl")
    try handle.set(CURLOPT_NOSIGNAL, 1)
    try handle.set(CURLOPT_CONNECTTIMEOUT_MS, Int(timeout.milliseconds))
    if let limit {
      try handle.set(CURLOPT_TIMEOUT_MS, Int(limit.milliseconds))
    } else {
      try handle.set(CURLOPT_LOW_SPEED_LIMIT, 1)
      try handle.set(CURLOPT_LOW_SPEED_TIME, maxSilenceSeconds)
    }
    try handle.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    try handle.addField("Accept: \(request.accept)")
    if let token { try handle.addField("Authorization: Bearer \(token)") }
    if let body = request.body {
      try handle.addField("Content-Type: application/json")
      try handle.addField("Expect:")
      try handle.set(CURLOPT_COPYPOSTFIELDS, String(decoding: body.encoded(), as: UTF8.self))
    }
  }

  private func failure(_ error: TransportError) -> ControlFailure {
    switch (error, server) {
    case (.notConnected(ENOENT, _), .unix(let path)), (.notConnected(ENOTDIR, _), .unix(let path)):
      .unreachable("There is no socket at \(path): is the edge running? -s says where its admin socket is (admin.listen).")
    case (.notConnected(ECONNREFUSED, _), .unix(let path)):
      .unreachable("Nobody listens at \(path): the edge that made it has ended.")
    case (.notConnected(EACCES, _), .unix(let path)), (.notConnected(EPERM, _), .unix(let path)):
      .denied("You may not open \(path): be root, the edge's own user, or one of the socket's group with a token.")
    case (.notConnected(_, let reason), _):
      .unreachable("\(server): \(reason). Is the edge running? -s says where its admin plane is (admin.listen).")
    case (.timedOut, _): .unreachable("\(server) did not answer in time; --timeout sets how long to wait.")
    case (.cancelled, _): .failed("Stopped.")
    case (.refusedByReceiver, _): .failed("The answer could not be taken.")
    case (.failed(let reason), _): .unreachable("\(server): \(reason).")
    }
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

private let maxBodyBytes = 16 << 20
/// Four heartbeats of the edge.
private let maxSilenceSeconds = 60
