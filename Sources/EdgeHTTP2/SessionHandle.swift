internal import CNghttp2
internal import EdgeHTTP
internal import EdgePolicy

/// Owns one session of nghttp2. No other file names it.
///
/// The library checks frames, streams, windows and header compression; what the fields of a head may say, and how much is too much,
/// is this module's own.
@safe
struct SessionHandle: ~Copyable {
  private let session: OpaquePointer

  /// Begins the server's side of a connection.
  init(maxHeadBytes: Int, floods: FloodLimits) throws(HTTP2Error) {
    let setup = try Setup(floods)
    var made: OpaquePointer?
    guard unsafe nghttp2_session_server_new2(&made, setup.callbacks, nil, setup.options) == 0, let session = unsafe made else {
      throw .resources
    }
    let settings = [
      nghttp2_settings_entry(
        settings_id: setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), value: UInt32(HTTP2Limits.maxStreams)),
      nghttp2_settings_entry(
        settings_id: setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE), value: UInt32(HTTP2Limits.streamWindowBytes)),
      nghttp2_settings_entry(settings_id: setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE), value: UInt32(maxHeadBytes)),
      nghttp2_settings_entry(settings_id: setting(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL), value: 1),
      nghttp2_settings_entry(settings_id: setting(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES), value: 1),
    ]
    guard unsafe nghttp2_submit_settings(session, noFlags, settings, settings.count) == 0,
      unsafe nghttp2_session_set_local_window_size(session, noFlags, 0, Int32(HTTP2Limits.connectionWindowBytes)) == 0
    else {
      unsafe nghttp2_session_del(session)
      throw .resources
    }
    unsafe self.session = unsafe session
  }

  deinit {
    unsafe nghttp2_session_del(session)
  }

  /// Tells `target` of everything from now on. It owns this, so that it is there as long as the library is.
  func deliver(to target: HTTP2Session) {
    unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(target).toOpaque())
  }

  /// Whether the library wants neither to read nor to write.
  var isOver: Bool {
    unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  var hasOutput: Bool {
    unsafe nghttp2_session_want_write(session) != 0
  }

  /// How many frames are ready to be sent, data aside.
  var queuedFrames: Int {
    unsafe nghttp2_session_get_outbound_queue_size(session)
  }

  func receive(_ bytes: Span<UInt8>) -> ReceiveResult {
    let result = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe nghttp2_session_mem_recv(session, bytes.baseAddress, bytes.count)
    }
    guard result < 0 else { return .read }
    switch nghttp2_error(Int32(result)) {
    case NGHTTP2_ERR_CALLBACK_FAILURE: return .stopped
    case NGHTTP2_ERR_FLOODED: return .answersWait
    default: return .failed
    }
  }

  func takeOutput(into bytes: inout [UInt8], limit: Int) {
    while bytes.count < limit {
      var frame: UnsafePointer<UInt8>?
      let count = unsafe nghttp2_session_mem_send(session, &frame)
      guard count > 0, let frame = unsafe frame else { return }
      unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: frame, count: count))
    }
  }

  func send(_ fields: StreamFields, on stream: StreamNumber, _ rest: StreamRest) {
    unsafe fields.bytes.withUnsafeBufferPointer { bytes in
      guard let base = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress) else { return }
      var offset = 0
      let list = unsafe fields.lengths.map { lengths in
        defer { offset += lengths.name + lengths.value }
        return unsafe nghttp2_nv(
          name: base + offset, value: base + offset + lengths.name, namelen: lengths.name, valuelen: lengths.value,
          flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
      }
      switch rest {
      case .head: unsafe nghttp2_submit_headers(session, noFlags, stream, nil, list, list.count, nil)
      case .nothing: unsafe nghttp2_submit_response(session, stream, list, list.count, nil)
      case .body:
        var provider = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: takeBody)
        unsafe nghttp2_submit_response(session, stream, list, list.count, &provider)
      }
    }
  }

  func resume(_ stream: StreamNumber) {
    unsafe nghttp2_session_resume_data(session, stream)
  }

  func reset(_ stream: StreamNumber, _ code: UInt32) {
    unsafe nghttp2_submit_rst_stream(session, noFlags, stream, code)
  }

  func consumed(_ count: Int, on stream: StreamNumber?) {
    if let stream {
      unsafe nghttp2_session_consume(session, stream, count)
    } else {
      unsafe nghttp2_session_consume_connection(session, count)
    }
  }

  func announceEnd() {
    unsafe nghttp2_submit_shutdown_notice(session)
  }

  func refuseStreams() {
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    unsafe nghttp2_submit_goaway(session, noFlags, last, StreamError.none.rawValue, nil, 0)
  }

  func end(_ code: UInt32) {
    unsafe nghttp2_session_terminate_session(session, code)
  }
}

/// What reading came to.
enum ReceiveResult {
  /// All bytes were used.
  case read
  /// The target wanted it to stop.
  case stopped
  /// Too many answers wait for a client that provokes them.
  case answersWait
  /// What came is not HTTP/2, or there is no memory.
  case failed
}

/// What a session is made with; of use only for that.
@safe
private struct Setup: ~Copyable {
  let callbacks: OpaquePointer
  let options: OpaquePointer

  init(_ floods: FloodLimits) throws(HTTP2Error) {
    var madeCallbacks: OpaquePointer?
    var madeOptions: OpaquePointer?
    unsafe nghttp2_session_callbacks_new(&madeCallbacks)
    unsafe nghttp2_option_new(&madeOptions)
    guard let callbacks = unsafe madeCallbacks, let options = unsafe madeOptions else {
      unsafe nghttp2_session_callbacks_del(madeCallbacks)
      unsafe nghttp2_option_del(madeOptions)
      throw .resources
    }
    unsafe self.callbacks = unsafe callbacks
    unsafe self.options = unsafe options
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, beganHead)
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, receivedField)
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, receivedFrame)
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, receivedData)
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, sentFrame)
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, closedStream)
    // Windows open as the relay takes bytes, and fields are checked by this module.
    unsafe nghttp2_option_set_no_auto_window_update(options, 1)
    unsafe nghttp2_option_set_no_http_messaging(options, 1)
    unsafe nghttp2_option_set_no_closed_streams(options, 1)
    unsafe nghttp2_option_set_max_outbound_ack(options, floods.maxUnreadAnswers)
    // They are counted by this module: the library takes each part of one that is read for another.
    unsafe nghttp2_option_set_max_continuations(options, .max)
    unsafe nghttp2_option_set_stream_reset_rate_limit(options, floods.resetBurst, floods.resetsPerSecond)
  }

  deinit {
    unsafe nghttp2_session_callbacks_del(callbacks)
    unsafe nghttp2_option_del(options)
  }
}

// MARK: Callbacks

private func target(_ data: UnsafeMutableRawPointer?) -> HTTP2Session? {
  unsafe data.map { unsafe Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
}

private func beganHead(_: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, data: UnsafeMutableRawPointer?) -> Int32 {
  if let stream = unsafe frame?.pointee.hd.stream_id { unsafe target(data)?.beganHead(on: stream) }
  return 0
}

private func receivedField(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, name: UnsafePointer<UInt8>?, nameCount: Int,
  value: UnsafePointer<UInt8>?, valueCount: Int, flags: UInt8, data: UnsafeMutableRawPointer?
) -> Int32 {
  let name = unsafe UnsafeBufferPointer(start: name, count: nameCount)
  let value = unsafe UnsafeBufferPointer(start: value, count: valueCount)
  unsafe target(data)?.receivedField(name: name.span, value: value.span)
  return 0
}

private func receivedFrame(_: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, data: UnsafeMutableRawPointer?) -> Int32 {
  guard let frame = unsafe frame?.pointee else { return 0 }
  let head = unsafe frame.hd
  let isEnded = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
  switch UInt32(head.type) {
  case NGHTTP2_HEADERS.rawValue:
    let isRequest = unsafe frame.headers.cat == NGHTTP2_HCAT_REQUEST
    let goesOn = unsafe target(data)?.endedHead(on: head.stream_id, isRequest: isRequest, isEnded: isEnded) ?? true
    return goesOn ? 0 : stop
  case NGHTTP2_DATA.rawValue: if isEnded { unsafe target(data)?.receivedEnd(of: head.stream_id) }
  case NGHTTP2_SETTINGS.rawValue: unsafe target(data)?.receivedSettings()
  default: break
  }
  return 0
}

private func receivedData(
  _: OpaquePointer?, flags: UInt8, stream: Int32, bytes: UnsafePointer<UInt8>?, count: Int, data: UnsafeMutableRawPointer?
) -> Int32 {
  let bytes = unsafe UnsafeBufferPointer(start: bytes, count: count)
  unsafe target(data)?.received(bytes.span, on: stream)
  return 0
}

private func sentFrame(_: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, data: UnsafeMutableRawPointer?) -> Int32 {
  guard let frame = unsafe frame?.pointee, let session = unsafe target(data) else { return 0 }
  let head = unsafe frame.hd
  switch UInt32(head.type) {
  case NGHTTP2_DATA.rawValue: session.sentData(on: head.stream_id)
  case NGHTTP2_HEADERS.rawValue: break
  case NGHTTP2_RST_STREAM.rawValue: unsafe session.sentReset(frame.rst_stream.error_code)
  default: return 0
  }
  if head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0, UInt32(head.type) != NGHTTP2_RST_STREAM.rawValue {
    session.sentEnd(of: head.stream_id)
  }
  return 0
}

private func closedStream(session: OpaquePointer?, stream: Int32, code: UInt32, data: UnsafeMutableRawPointer?) -> Int32 {
  let hasEnded = unsafe nghttp2_session_get_stream_remote_close(session, stream) == 1
  unsafe target(data)?.streamClosed(stream, clientHasEnded: hasEnded)
  return 0
}

private func takeBody(
  _: OpaquePointer?, stream: Int32, room: UnsafeMutablePointer<UInt8>?, count: Int, flags: UnsafeMutablePointer<UInt32>?,
  source: UnsafeMutablePointer<nghttp2_data_source>?, data: UnsafeMutableRawPointer?
) -> Int {
  let room = unsafe UnsafeMutableBufferPointer(start: room, count: count)
  var span = unsafe room.mutableSpan
  switch unsafe target(data)?.takeBody(of: stream, into: &span) {
  case .bytes(let count)?: return count
  case .last(let count)?:
    unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
    return count
  case .lastOfMalformed(let count)?:
    unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
    unsafe target(data)?.willEndMalformed(stream)
    return count
  case .later?, nil: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
  }
}

private let stop = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
private let noFlags = UInt8(NGHTTP2_FLAG_NONE.rawValue)

private func setting(_ id: nghttp2_settings_id) -> Int32 { Int32(id.rawValue) }
