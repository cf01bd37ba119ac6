import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeRelay
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// How a refused upgrade is told on a WebSocket: a page script can read a close code, but no status.
extension Refusal {
  /// The 101 that lets the client be told by a Close, where the route says `reject: close` of such a refusal and the client's
  /// handshake allows it; nil answers by HTTP.
  func acceptance(of head: RequestHead) -> ResponseHead? {
    guard let route, isTold(on: route), OpeningRequest.isAttempt(head), let request = try? OpeningRequest(checking: head) else {
      return nil
    }
    switch route.edgeChoice(of: request.subprotocols) {
    case .nothing: return request.acceptance(subprotocol: nil, sha1: Digest.sha1)
    case .name(let name): return request.acceptance(subprotocol: name, sha1: Digest.sha1)
    case .impossible: return nil
    }
  }

  /// The Close that tells it.
  func close(of route: Route) -> PendingClose {
    PendingClose(code: CloseCode(rawValue: route.closeCodes[keyPath: closeCode]), reason: closeReason)
  }

  private var closeReason: String {
    response.retryAfterSeconds.map { "\(response.code);retry_after=\($0)" } ?? response.code
  }

  private func isTold(on route: Route) -> Bool {
    switch result {
    case .originDenied: route.reject.origin == .close
    case .tokenMissing, .tokenInvalid, .tokenExpired: route.reject.auth == .close
    case .ipLimit, .userLimit, .edgeLimit: route.reject.rate == .close
    case .banned: route.reject.banned == .close
    case .accepted, .noRoute, .noWorker, .workerError, .badRequest, .timeout, .abandoned: false
    }
  }
}
