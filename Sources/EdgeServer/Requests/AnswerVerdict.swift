import EdgeHTTP
import EdgeTLS
import EdgeWebSocket

/// What becomes of the final answer of a worker.
enum AnswerVerdict {
  /// It is passed on, and its body behind it.
  case passed
  /// The WebSocket is open, and the client hears of it so.
  case opened(acceptance: ResponseHead)
  /// It is no answer to what was asked; the word is for logs.
  case refused(String)

  /// - Parameter pending: what the edge has accepted in advance, if it has.
  init(_ response: ResponseHead, to request: RequestHead, _ admission: Admission, pending: PendingAdmission?) {
    guard response.status == 101 else {
      // Over HTTP/2 a success would say that the WebSocket is open (RFC 8441 §5); where the edge has accepted it, nothing can be said.
      let readsSuccess = request.version == .http2 && admission.upgrade != nil && (200...299).contains(response.status)
      self = pending == nil && !readsSuccess ? .passed : .refused("worker_refused_upgrade")
      return
    }
    guard let upgrade = admission.upgrade else {
      self = .refused("worker_unasked_upgrade")
      return
    }
    do {
      let subprotocol = try upgrade.worker.check(response, sha1: Digest.sha1)
      if let pending, subprotocol != pending.subprotocol {
        self = .refused("worker_other_subprotocol")
      } else {
        self = .opened(
          acceptance: upgrade.client.acceptance(subprotocol: subprotocol, workerFields: response.fields, sha1: Digest.sha1))
      }
    } catch {
      self = .refused(error.rawValue)
    }
  }
}
