import ControlCore
import EdgeCore
import EdgeFetch
import EdgeIO
import Glibc

/// Speaks with the admin plane of one edge, one request at a time, on the calling thread.
///
/// Redirects are not followed, proxies of the environment not asked; an answer is bounded in size and time.
final class AdminClient {
  private let server: ServerAddress
  private let token: String?
  private let timeout: Duration
  private var handle: TransferHandle
  /// Asked about once a second while an answer is awaited; true ends the wait.
  var isCancelled: () -> Bool = { false }

  /// Makes a client; nothing is sent yet.
  init(server: ServerAddress, token: String?, timeout: Duration) throws(ControlFailure) {
    do throws(TransferError) {
      handle = try TransferHandle()
    } catch {
      throw .failed("libcurl cannot start.")
    }
    self.server = server
    self.token = token
    self.timeout = timeout
  }

  /// Asks, and waits for the whole answer.
  ///
  /// - Throws: `ControlFailure` for a refusal, too.
  func ask(_ request: APIRequest) throws(ControlFailure) -> [UInt8] {
    var body: [UInt8] = []
    var isTooLarge = false
    let status = try send(request, .total(timeout)) { bytes, _ in
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
    let status = try send(request, .silence(maxSilence)) { bytes, status in
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
    _ request: APIRequest, _ patience: Transfer.Patience, receive: @escaping (_ bytes: [UInt8], _ status: Int) -> Bool
  ) throws(ControlFailure) -> Int {
    var seenStatus: Int?
    do throws(TransferError) {
      return try handle.perform(transfer(request, patience), isCancelled: isCancelled) { bytes, status in
        let wantsMore = receive(bytes, status)
        if !wantsMore { seenStatus = status }
        return wantsMore
      }
    } catch {
      if case .refusedByReceiver = error, let seenStatus { return seenStatus }
      throw failure(error)
    }
  }

  private func transfer(_ request: APIRequest, _ patience: Transfer.Patience) -> Transfer {
    var transfer = Transfer(url: server.base + request.target, scheme: .http, userAgent: "sluicectl", patience: patience)
    if case .unix(let path) = server { transfer.unixSocket = path }
    transfer.connectTimeout = timeout
    transfer.method = request.method.rawValue
    transfer.fields = ["Accept: \(request.accept)"]
    if let token { transfer.fields.append("Authorization: Bearer \(token)") }
    if let body = request.body {
      transfer.fields += ["Content-Type: application/json", "Expect:"]
      transfer.body = String(decoding: body.encoded(), as: UTF8.self)
    }
    return transfer
  }

  private func failure(_ error: TransferError) -> ControlFailure {
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
    case (.refusedByReceiver, _), (.tooLarge, _): .failed("The answer could not be taken.")
    case (.failed(let reason), _): .unreachable("\(server): \(reason).")
    }
  }
}

private let maxBodyBytes = 16 << 20
/// Four heartbeats of the edge.
private let maxSilence = Duration.seconds(60)
