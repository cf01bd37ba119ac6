import EdgeCore
import EdgeHTTP

/// The plain HTTP side of the worker: the page, the demo's login, and a health check.
struct Site {
  let page = PageFiles()
  /// Nil where `/login` is off.
  let login: Login?

  /// Answers a request that is not an upgrade.
  func answer(to request: RequestHead, body: [UInt8], isDraining: Bool, now: WallTime) -> HTTPAnswer {
    let path = request.target.path
    if let file = page.files[path] {
      return allowing(["GET", "HEAD"], request) { file.answer(to: request) }
    }
    switch path {
    case "/healthz":
      return allowing(["GET", "HEAD"], request) { .json(["draining": .bool(isDraining)], status: isDraining ? 503 : 200) }
    case "/login":
      guard let login else { return .error(404, code: "login_off", message: "this worker signs no tokens") }
      return allowing(["POST"], request) { login.answer(to: request, body: body, now: now) }
    case Site.webSocketPath:
      return .error(
        426, code: "upgrade_required", message: "this path speaks WebSocket only",
        fields: ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"])
    default:
      return .error(404, code: "not_found", message: "there is nothing at this path")
    }
  }

  private func allowing(_ methods: [String], _ request: RequestHead, _ answer: () -> HTTPAnswer) -> HTTPAnswer {
    guard methods.contains(request.method) else {
      return .error(
        405, code: "method_not_allowed", message: "use \(methods.joined(separator: " or "))",
        fields: ["Allow": methods.joined(separator: ", ")])
    }
    return answer()
  }

  /// Where clients open their WebSocket.
  static let webSocketPath = "/ws"
}
