import CNghttp2
import EdgeCore
import EdgeTLS

/// Owns the client's side of one session of nghttp2. No other file names it.
@safe
struct StreamSession: ~Copyable {
  private let session: OpaquePointer

  /// Begins a connection, with windows as wide as a browser's: what is measured is the proxy's flow control.
  init() throws(LoadFailure) {
    var callbacks: OpaquePointer?
    var options: OpaquePointer?
    var made: OpaquePointer?
    unsafe nghttp2_session_callbacks_new(&callbacks)
    unsafe nghttp2_option_new(&options)
    defer {
      unsafe nghttp2_session_callbacks_del(callbacks)
      unsafe nghttp2_option_del(options)
    }
    guard unsafe callbacks != nil, unsafe options != nil else { throw .tls(.resources) }
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, receivedField)
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, receivedFrame)
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, receivedData)
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, closedStream)
    // A CONNECT with :protocol is answered with a body, which the library's own rules on heads know nothing of.
    unsafe nghttp2_option_set_no_http_messaging(options, 1)
    guard unsafe nghttp2_session_client_new2(&made, callbacks, nil, options) == 0, let session = unsafe made else {
      throw .tls(.resources)
    }
    unsafe self.session = unsafe session
    let window = nghttp2_settings_entry(
      settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(streamWindowBytes))
    unsafe nghttp2_submit_settings(session, 0, [window], 1)
    unsafe nghttp2_session_set_local_window_size(session, 0, 0, connectionWindowBytes)
  }

  deinit {
    unsafe nghttp2_session_del(session)
  }

  /// Tells `carrier` of everything from now on. It owns this, so that it is there as long as the library is.
  func deliver(to carrier: StreamCarrier) {
    unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(carrier).toOpaque())
  }

  /// Whether the proxy's SETTINGS allow extended CONNECT (RFC 8441 §3).
  var peerTakesWebSockets: Bool {
    unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1
  }

  /// How many streams the proxy takes at a time.
  var peerMaxStreams: Int {
    Int(unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
  }

  /// Reads what the proxy sent; false when it is no HTTP/2.
  func receive(_ bytes: Span<UInt8>) -> Bool {
    unsafe bytes.withUnsafeBufferPointer { unsafe nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) } >= 0
  }

  /// Adds all that is to be sent.
  func takeOutput(into bytes: inout [UInt8]) {
    var frames: UnsafePointer<UInt8>?
    while case let count = unsafe nghttp2_session_mem_send(session, &frames), count > 0, let start = unsafe frames {
      unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
    }
  }

  /// Opens a stream.
  ///
  /// - Parameter fields: names in lower case, those with a colon first.
  /// - Returns: its number; nil when there is no memory.
  func request(_ fields: [(name: [UInt8], value: [UInt8])]) -> Int32? {
    var text = fields.flatMap { $0.name + $0.value }
    let number = unsafe text.withUnsafeMutableBufferPointer { text -> Int32 in
      guard let base = text.baseAddress else { return -1 }
      var offset = 0
      var list: [nghttp2_nv] = unsafe []
      for field in fields {
        let value = offset + field.name.count
        unsafe list.append(
          nghttp2_nv(
            name: base + offset, value: base + value, namelen: field.name.count, valuelen: field.value.count,
            flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
        offset = value + field.value.count
      }
      var provider = unsafe nghttp2_data_provider(source: nghttp2_data_source(), read_callback: takeBytes)
      return unsafe nghttp2_submit_request(session, nil, list, list.count, &provider, nil)
    }
    return number > 0 ? number : nil
  }

  /// There is something to send on a stream again.
  func resume(_ stream: Int32) {
    unsafe nghttp2_session_resume_data(session, stream)
  }
}

// MARK: Callbacks

private func carrier(_ data: UnsafeMutableRawPointer?) -> StreamCarrier? {
  unsafe data.map { unsafe Unmanaged<StreamCarrier>.fromOpaque($0).takeUnretainedValue() }
}

private func receivedField(
  _: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, name: UnsafePointer<UInt8>?, nameCount: Int,
  value: UnsafePointer<UInt8>?, valueCount: Int, flags: UInt8, data: UnsafeMutableRawPointer?
) -> Int32 {
  guard let stream = unsafe frame?.pointee.hd.stream_id else { return 0 }
  let name = unsafe String(decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self)
  let value = unsafe String(decoding: UnsafeBufferPointer(start: value, count: valueCount), as: UTF8.self)
  unsafe carrier(data)?.receivedField(name: name, value: value, on: stream)
  return 0
}

private func receivedFrame(_: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, data: UnsafeMutableRawPointer?) -> Int32 {
  guard let head = unsafe frame?.pointee.hd, let carrier = unsafe carrier(data) else { return 0 }
  switch UInt32(head.type) {
  case NGHTTP2_SETTINGS.rawValue: if head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 { carrier.receivedSettings() }
  case NGHTTP2_HEADERS.rawValue: carrier.receivedHead(on: head.stream_id)
  case NGHTTP2_GOAWAY.rawValue: carrier.receivedGoAway()
  default: break
  }
  let isEnd = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
  switch UInt32(head.type) {
  case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue: if isEnd { carrier.streamEnded(head.stream_id) }
  default: break
  }
  return 0
}

private func receivedData(
  _: OpaquePointer?, flags: UInt8, stream: Int32, bytes: UnsafePointer<UInt8>?, count: Int, data: UnsafeMutableRawPointer?
) -> Int32 {
  let bytes = unsafe UnsafeBufferPointer(start: bytes, count: count)
  unsafe carrier(data)?.received(bytes.span, on: stream)
  return 0
}

private func closedStream(_: OpaquePointer?, stream: Int32, code: UInt32, data: UnsafeMutableRawPointer?) -> Int32 {
  unsafe carrier(data)?.streamEnded(stream)
  return 0
}

private func takeBytes(
  _: OpaquePointer?, stream: Int32, room: UnsafeMutablePointer<UInt8>?, count: Int, flags: UnsafeMutablePointer<UInt32>?,
  source: UnsafeMutablePointer<nghttp2_data_source>?, data: UnsafeMutableRawPointer?
) -> Int {
  let room = unsafe UnsafeMutableBufferPointer(start: room, count: count)
  var span = unsafe room.mutableSpan
  switch unsafe carrier(data)?.takeBytes(of: stream, into: &span) {
  case .bytes(let count)?: return count
  case .later?, nil: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
  case .end?:
    unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
    return 0
  }
}

private let streamWindowBytes = 6 << 20
private let connectionWindowBytes: Int32 = 15 << 20
