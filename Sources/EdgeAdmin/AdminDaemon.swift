internal import CMicrohttpd
internal import EdgeCore

/// Owns one libmicrohttpd daemon with its thread, and the shell that the thread calls.
///
/// The only file that touches libmicrohttpd. Its callbacks run on the daemon's thread, one at a time; a stream of events that has
/// nothing to say is suspended, and whoever publishes something resumes it from their own thread. A request is an
/// `AdminExchange`, retained from the moment its target is known until libmicrohttpd says that it is over.
@safe final class AdminDaemon {
  private let handle: OpaquePointer
  /// Kept alive for the daemon, which has an unretained pointer to it.
  private let shell: AdminShell

  init(_ shell: AdminShell) throws(AdminServerError) {
    let limits = sluice_mhd_limits(connections: 64, connections_per_ip: 48, idle_seconds: 10, connection_bytes: 32_768)
    guard
      let handle = unsafe sluice_mhd_start(
        shell.listener.descriptor, limits, handleRequest, requestStarted, requestCompleted, connectionChanged,
        Unmanaged.passUnretained(shell).toOpaque())
    else { throw .cannotStart(descriptor: shell.listener.descriptor) }
    self.shell = shell
    unsafe self.handle = handle
  }

  /// Cuts off who holds a connection without getting anywhere.
  func endSlowConnections() {
    shell.watch.endSlow(now: shell.now) { sluice_mhd_hang_up($0) }
  }

  deinit {
    // Ends the streams first: stopping a daemon while connections are suspended is undefined.
    shell.events.close()
    // Joins the thread; no callback runs after it.
    unsafe MHD_stop_daemon(handle)
  }
}

/// What libmicrohttpd's thread calls: it knows the listener and the API, and holds nothing between requests.
final class AdminShell: Sendable {
  let listener: AdminListener
  let watch = ConnectionWatch()
  private let api: AdminAPI
  private let environment: AdminEnvironment

  init(listener: AdminListener, api: AdminAPI, environment: AdminEnvironment) {
    self.listener = listener
    self.api = api
    self.environment = environment
  }

  var now: Instant { environment.now() }

  func refusalBeforeBody(of request: AdminRequest) -> AdminResponse? {
    api.refusalBeforeBody(of: request)
  }

  func answer(_ request: AdminRequest, from peer: AdminPeer) -> AdminResponse {
    api.respond(to: request, from: peer, scope: listener.scope, now: now)
  }

  /// Where the streams of events come from.
  var events: EventHub { api.events }

  func unixPeer(descriptor: Int32) -> AdminPeer {
    .unix(userID: descriptor < 0 ? nil : environment.peerUserID(descriptor))
  }
}

/// One request while libmicrohttpd reads it.
private final class AdminExchange {
  let target: String
  /// The head, once it is read whole; the body grows in it.
  var request: AdminRequest?
  /// Who reads the events that are the answer, if they are.
  var reader: EventReader?

  init(target: String) {
    self.target = target
  }
}

// MARK: libmicrohttpd's callbacks

/// The request line is read: keeps the target as it came, since libmicrohttpd decodes the path and drops the query.
private func requestStarted(
  context: UnsafeMutableRawPointer?, target: UnsafePointer<CChar>?, connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
  let text = unsafe target.map { unsafe String(cString: $0) } ?? ""
  return unsafe Unmanaged.passRetained(AdminExchange(target: text)).toOpaque()
}

/// Called once when the head is read, once for each piece of the body, and once at its end.
private func handleRequest(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?, url: UnsafePointer<CChar>?, method: UnsafePointer<CChar>?,
  version: UnsafePointer<CChar>?, piece: UnsafePointer<CChar>?, pieceBytes: UnsafeMutablePointer<Int>?,
  exchangeSlot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let context = unsafe context, let connection = unsafe connection, let pieceBytes = unsafe pieceBytes,
    let opaqueExchange = unsafe exchangeSlot?.pointee
  else { return .NO }
  let shell = unsafe Unmanaged<AdminShell>.fromOpaque(context).takeUnretainedValue()
  let exchange = unsafe Unmanaged<AdminExchange>.fromOpaque(opaqueExchange).takeUnretainedValue()

  guard let request = exchange.request else {
    let methodText = unsafe method.map { unsafe String(cString: $0) } ?? ""
    let head = unsafe AdminRequest(method: methodText, target: exchange.target, fields: fields(of: connection))
    exchange.request = head
    guard let refusal = shell.refusalBeforeBody(of: head) else { return .YES }
    shell.watch.answering(UInt(bitPattern: connection), isStream: false, now: shell.now)
    return unsafe send(refusal, on: connection)
  }
  let count = unsafe pieceBytes.pointee
  guard count == 0 else {
    guard let piece = unsafe piece, request.body.count + count <= AdminRequest.maxBodyBytes else { return .NO }
    unsafe UnsafeRawBufferPointer(start: piece, count: count).withMemoryRebound(to: UInt8.self) { bytes in
      unsafe exchange.request?.body.append(contentsOf: bytes)
    }
    unsafe pieceBytes.pointee = 0
    return .YES
  }
  let answer = unsafe shell.answer(request, from: peer(of: connection, shell))
  exchange.reader = answer.reader
  shell.watch.answering(UInt(bitPattern: connection), isStream: answer.reader != nil, now: shell.now)
  return unsafe send(answer, on: connection)
}

/// The request is over, answered or not.
private func requestCompleted(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?, exchangeSlot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  reason: MHD_RequestTerminationCode
) {
  guard let context = unsafe context, let opaqueExchange = unsafe exchangeSlot?.pointee else { return }
  unsafe exchangeSlot?.pointee = nil
  let exchange = unsafe Unmanaged<AdminExchange>.fromOpaque(opaqueExchange).takeRetainedValue()
  let shell = unsafe Unmanaged<AdminShell>.fromOpaque(context).takeUnretainedValue()
  shell.watch.answered(UInt(bitPattern: connection), now: shell.now)
  if let reader = exchange.reader { shell.events.unsubscribe(reader) }
}

/// A client has connected, or its socket is about to be closed.
private func connectionChanged(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?, socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  change: MHD_ConnectionNotificationCode
) {
  guard let context = unsafe context, let connection = unsafe connection else { return }
  let shell = unsafe Unmanaged<AdminShell>.fromOpaque(context).takeUnretainedValue()
  let key = UInt(bitPattern: connection)
  switch change {
  case .CONNECTION_NOTIFY_STARTED: unsafe shell.watch.opened(key, descriptor: sluice_mhd_socket(connection), now: shell.now)
  case .CONNECTION_NOTIFY_CLOSED: shell.watch.closed(key)
  @unknown default: break
  }
}

// MARK: Reading and answering

private func fields(of connection: OpaquePointer) -> [(name: String, value: String)] {
  var fields: [(name: String, value: String)] = []
  _ = unsafe withUnsafeMutablePointer(to: &fields) { fields in
    unsafe MHD_get_connection_values_n(
      connection, .HEADER_KIND,
      { target, _, name, nameBytes, value, valueBytes in
        let fields = unsafe target?.assumingMemoryBound(to: [(name: String, value: String)].self)
        unsafe fields?.pointee.append((text(name, nameBytes), text(value, valueBytes)))
        return .YES
      }, fields)
  }
  return fields
}

/// Bytes that are no UTF-8 become replacement characters, which no check takes for anything.
private func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
  unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self)
}

private func peer(of connection: OpaquePointer, _ shell: AdminShell) -> AdminPeer {
  switch shell.listener.kind {
  case .unix: return shell.unixPeer(descriptor: unsafe sluice_mhd_socket(connection))
  case .tcp:
    var (high, low, port): (UInt64, UInt64, UInt16) = (0, 0, 0)
    guard unsafe sluice_mhd_peer(connection, &high, &low, &port) else { return .tcp(.unix) }
    return .tcp(.ip(IPAddress(high: high, low: low), port: port))
  }
}

private func send(_ answer: AdminResponse, on connection: OpaquePointer) -> MHD_Result {
  guard let response = unsafe response(of: answer, on: connection) else { return .NO }
  defer { unsafe MHD_destroy_response(response) }
  for field in answer.fields { unsafe MHD_add_response_header(response, field.name, field.value) }
  for (name, value) in commonFields where !answer.fields.contains(where: { $0.name == name }) {
    unsafe MHD_add_response_header(response, name, value)
  }
  return unsafe MHD_queue_response(connection, UInt32(answer.status), response)
}

private func response(of answer: AdminResponse, on connection: OpaquePointer) -> OpaquePointer? {
  if let reader = answer.reader { return unsafe stream(reader, on: connection) }
  return unsafe answer.body.withUnsafeBufferPointer { body in
    // The bytes are copied; the pointer is mutable in the declaration only.
    unsafe MHD_create_response_from_buffer(body.count, UnsafeMutableRawPointer(mutating: body.baseAddress), .RESPMEM_MUST_COPY)
  }
}

/// What every answer bears, but where it says something else itself.
private let commonFields = [
  ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'none'"),
]

// MARK: Streams

/// An answer of unknown length, whose bytes a reader of events brings.
private func stream(_ reader: EventReader, on connection: OpaquePointer) -> OpaquePointer? {
  unsafe sluice_mhd_set_timeout(connection, streamStallSeconds)
  let source = unsafe Unmanaged.passRetained(AdminStream(reader, connection: connection))
  // The response has the reference, and lets go of it when it is destroyed.
  let response = unsafe MHD_create_response_from_callback(
    UInt64.max, streamPieceBytes,
    { source, _, buffer, room in
      guard let source = unsafe source, let buffer = unsafe buffer else { return sluice_mhd_end_of_stream }
      return unsafe Unmanaged<AdminStream>.fromOpaque(source).takeUnretainedValue().read(into: buffer, room: room)
    }, source.toOpaque(),
    { source in
      guard let source = unsafe source else { return }
      unsafe Unmanaged<AdminStream>.fromOpaque(source).release()
    })
  if unsafe response == nil { unsafe source.release() }
  return unsafe response
}

/// A reader of events, and the connection that carries them.
@safe private final class AdminStream {
  private let reader: EventReader
  private let connection: SuspendedConnection

  init(_ reader: EventReader, connection: OpaquePointer) {
    self.reader = reader
    unsafe self.connection = SuspendedConnection(handle: connection)
  }

  /// Puts what waits into libmicrohttpd's buffer: how many bytes, or that it is over. Nothing suspends the connection.
  func read(into buffer: UnsafeMutablePointer<CChar>, room: Int) -> Int {
    switch reader.take(room, park: connection.suspend) {
    case .bytes(let bytes):
      unsafe UnsafeMutableRawPointer(buffer).copyMemory(from: bytes, byteCount: bytes.count)
      return bytes.count
    case .parked: return 0
    case .end: return sluice_mhd_end_of_stream
    }
  }
}

/// A connection that libmicrohttpd leaves alone until it is resumed, and that therefore exists until then.
@safe private struct SuspendedConnection: Sendable {
  nonisolated(unsafe) let handle: OpaquePointer

  func suspend() -> EventReader.Parking {
    unsafe MHD_suspend_connection(handle)
    return EventReader.Parking(
      resume: { unsafe MHD_resume_connection(handle) }, isAbandoned: { unsafe sluice_mhd_is_abandoned(handle) })
  }
}

private let streamPieceBytes = 8_192
/// A reader that takes nothing for so long is cut off.
private let streamStallSeconds: UInt32 = 60
