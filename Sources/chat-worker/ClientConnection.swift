import ChatCore
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS
import EdgeWebSocket

/// One connection from the edge: requests on it are answered, and after an upgrade it is a member of the chat.
final class ClientConnection: EventSource {
  private enum Phase {
    /// Requests and answers.
    case http
    /// A member of the chat.
    case member
    /// Close was sent; the peer's is awaited.
    case closing
    /// Nothing more is read; what waits is sent.
    case flushing
    /// Over.
    case ended
  }

  let id: MemberID
  private let socket: Socket
  private unowned let server: ChatServer
  private var stream = ClientStream()
  private var outlet = Outlet()
  private var phase = Phase.http

  init(_ socket: consuming Socket, id: MemberID, server: ChatServer) {
    self.socket = socket
    self.id = id
    self.server = server
    super.init()
  }

  /// Begins to serve.
  func start() throws(SystemError) {
    try server.reactor.add(self, descriptor: socket.descriptor, interest: .readable)
    server.reactor.setTimer(self, at: server.reactor.now + idleTimeout)
  }

  /// Sends a frame to a member. One that is too slow to take its messages is closed with 1013.
  func send(frame: [UInt8]) {
    guard phase == .member else { return }
    guard outlet.count + frame.count <= maxQueuedBytes else {
      server.log.write("slow_consumer", [.init(name: "queued_bytes", value: .integer(Int64(outlet.count)))])
      close(.tryAgainLater, reason: "slow_consumer")
      return
    }
    transmit(frame)
  }

  /// Ends the connection because the worker stops: members with 1012, others after the answer that is on its way.
  func drain() {
    switch phase {
    case .member: close(.serviceRestart, reason: "worker_stopping")
    case .http: finish()
    case .closing, .flushing, .ended: break
    }
  }

  override func ready(_ readiness: Readiness) {
    if readiness.contains(.writable) { advance(outlet.flush(to: socket)) }
    if !readiness.subtracting(.writable).isEmpty { read() }
  }

  override func turn() {
    phase == .ended ? end() : read()
  }

  override func timerFired() {
    end()
  }

  private var isReading: Bool {
    switch phase {
    case .http, .member, .closing: true
    case .flushing, .ended: false
    }
  }

  /// Reads and serves, at most `readsPerTurn` buffers before others have their turn.
  private func read() {
    for _ in 0..<readsPerTurn {
      guard isReading else { return }
      switch server.inlet.receive(from: socket) {
      case .bytes(let count): take(count)
      case .wouldBlock: return
      case .ended, .failed: return outlet.count == 0 ? end() : finish()
      }
    }
    server.reactor.runLater(self)
  }

  /// Serves the first `count` bytes of the server's buffer.
  private func take(_ count: Int) {
    var offset = 0
    while offset < count, isReading {
      switch server.inlet.withBytes(offset..<count, { stream.receive($0) }) {
      case .needMore:
        return
      case .request(let head, let body, let consumed):
        offset += consumed
        serve(head, body: body)
      case .expectsContinue(let consumed):
        offset += consumed
        transmit(continueBytes)
      case .bodyTooLong:
        refuse(.error(413, code: "body_too_long", message: "at most \(ClientStream.maxBodyBytes) bytes"))
      case .noRequest(let error):
        refuse(.error(error.status, code: error.code, message: "the request does not follow RFC 9112"))
      case .webSocket(let events, let error):
        for event in events { receive(event) }
        if let error {
          close(error.closeCode, reason: error.rawValue)
          finish()
        }
        return
      }
    }
  }
}

extension ClientConnection {
  private func serve(_ request: RequestHead, body: [UInt8]) {
    server.reactor.setTimer(self, at: server.reactor.now + idleTimeout)
    if OpeningRequest.isAttempt(request), request.target.path == Site.webSocketPath {
      upgrade(request)
    } else {
      answer(request, with: server.site.answer(to: request, body: body, isDraining: server.isDraining, now: WallClock.now()))
    }
  }

  private func upgrade(_ request: RequestHead) {
    do {
      let opening = try OpeningRequest(checking: request)
      guard !server.isDraining else {
        let retry: HTTPFields = ["Retry-After": "1"]
        return answer(request, with: .error(503, code: "stopping", message: "this worker is stopping", fields: retry))
      }
      guard let user = server.user(of: request) else {
        return answer(request, with: .error(401, code: "no_user", message: "the edge named no verified user"))
      }
      let agreed = opening.subprotocols.contains(subprotocol) ? subprotocol : nil
      var bytes: [UInt8] = []
      opening.acceptance(subprotocol: agreed, sha1: Digest.sha1).serialize(into: &bytes)
      server.reactor.cancelTimer(self)
      stream.becomeWebSocket(maxMessageBytes: maxMessageBytes)
      phase = .member
      transmit(bytes)
      server.joined(self, user: user)
    } catch {
      let message = "the opening handshake does not follow RFC 6455"
      answer(request, with: .error(error.status, code: error.rawValue, message: message, fields: error.responseFields))
    }
  }

  private func answer(_ request: RequestHead, with answer: HTTPAnswer) {
    let keeps = request.wantsKeepAlive && !server.isDraining && outlet.count < maxQueuedBytes
    transmit(answer.serialized(answering: request, keepsConnection: keeps, now: WallClock.now()))
    if !keeps { finish() }
  }

  /// Answers bytes after which nobody knows where the next request begins.
  private func refuse(_ answer: HTTPAnswer) {
    transmit(answer.serialized(answering: nil, keepsConnection: false, now: WallClock.now()))
    finish()
  }

  private func receive(_ event: WebSocketEvent) {
    switch (event, phase) {
    case (.message(.text, let payload), .member):
      server.received(payload, from: id)
    case (.message(.binary, _), .member):
      server.receivedBinary(from: id)
    case (.ping(let payload), .member):
      var pong: [UInt8] = []
      FrameWriter.appendPong(payload, into: &pong)
      send(frame: pong)
    case (.close(let code, reason: _), .member):
      close(code, reason: "")
      finish()
    case (.close, .closing):
      finish()
    case (.pong, _), (.message, _), (.ping, _), (.close, _):
      break
    }
  }

  /// Sends Close and gives the peer `closeTimeout` to answer it.
  private func close(_ code: CloseCode?, reason: String) {
    guard phase == .member else { return }
    phase = .closing
    server.left(self)
    var frame: [UInt8] = []
    FrameWriter.appendClose(code, reason: reason, into: &frame)
    server.reactor.setTimer(self, at: server.reactor.now + closeTimeout)
    transmit(frame)
  }

  private func transmit(_ bytes: [UInt8]) {
    advance(outlet.send(bytes, to: socket))
  }

  private func advance(_ progress: Outlet.Progress) {
    switch progress {
    case .drained where phase == .flushing, .broken:
      phase = .ended
      server.reactor.runLater(self)
    case .drained:
      server.reactor.modify(self, interest: .readable)
    case .waiting:
      server.reactor.modify(self, interest: [.readable, .writable])
    }
  }

  /// Ends the connection once everything that waits is sent.
  private func finish() {
    guard phase != .ended else { return }
    if phase == .member { server.left(self) }
    phase = .flushing
    server.reactor.setTimer(self, at: server.reactor.now + closeTimeout)
    advance(outlet.flush(to: socket))
  }

  private func end() {
    phase = .ended
    server.reactor.remove(self)
    server.ended(self)
  }
}

/// The one application protocol that the worker speaks, for clients that want it named.
private let subprotocol = "chat.v1"
private let continueBytes = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
private let maxMessageBytes = 64 * 1024
private let maxQueuedBytes = 1024 * 1024
private let readsPerTurn = 4
private let idleTimeout = Duration.seconds(120)
private let closeTimeout = Duration.seconds(5)
