import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeRouting
import EdgeTLS
import EdgeTelemetry

/// The cookie that keeps a client with its worker (`balance: cookie`), so that an exchange in several requests, such as Socket.IO's
/// start, meets one worker.
///
/// Its value is the first half of an HMAC-SHA256 over pool and socket path. It shows nothing of the worker, and nobody can make one
/// for a worker that the edge did not send them to.
final class StickyCookie: Sendable {
  /// `sluice-` and the pool's name.
  let name: String
  private let pool: WorkerPoolState
  private let secret: [UInt8]
  /// The values of workers that were seen, by path.
  private let values = Guarded<[String: [UInt8]]>([:])

  /// - Parameter secret: at least 32 bytes; the same in all edges that a client may come to.
  init(pool: WorkerPoolState, secret: [UInt8]) {
    name = "sluice-\(pool.name)"
    self.pool = pool
    self.secret = secret
  }

  /// The path of the worker that Cookie fields name, if they name one of the pool.
  func worker(named cookies: [String]) -> String? {
    let texts = CookieText.values(of: name, in: cookies)
    guard texts.count == 1, let given = texts.first.flatMap({ Base64.urlSafe.decode($0) }) else { return nil }
    return pool.workers.first { constantTimeEquals(value(for: $0.socket.path), given) }?.socket.path
  }

  /// The Set-Cookie that sends a client to the worker at `path` again. It ends with the browser's session.
  func field(path: String, scheme: HTTPScheme) -> HTTPField {
    let secure = scheme == .https ? "; Secure" : ""
    let text = Base64.urlSafe.encode(value(for: path))
    return HTTPField(name: "Set-Cookie", value: "\(name)=\(text); Path=/; HttpOnly; SameSite=Lax\(secure)")
  }

  /// Takes the cookie out of a request: it is none of the worker's business.
  func strip(_ head: inout RequestHead) {
    head.fields.replaceAll("Cookie", with: CookieText.removing(name, from: head.fields.all("Cookie")))
  }

  /// Whether its cookies are good for another one of the same pool.
  func hasSecret(of other: StickyCookie) -> Bool {
    constantTimeEquals(secret, other.secret)
  }

  private func value(for path: String) -> [UInt8] {
    values.withLock { values in
      if let value = values[path] { return value }
      // Workers that come and go under ever new names must not fill the memory.
      if values.count >= maxValues { values = [:] }
      let value = Array(Digest.hmacSHA256(Array("\(pool.name)\u{0}\(path)".utf8), key: secret).prefix(16))
      values[path] = value
      return value
    }
  }
}

private let maxValues = 4_096
