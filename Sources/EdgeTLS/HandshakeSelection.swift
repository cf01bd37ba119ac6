import COpenSSL

/// What a server's handshakes choose from: the context for a name, the application protocol, the ticket keys.
final class HandshakeSelection: Sendable {
  private let contexts: ServerNameTable<ContextHandle>
  private let protocols: [[UInt8]]
  fileprivate let ticketKeys: TicketKeyRing

  /// - Parameter protocols: what we speak, best first.
  init(contexts: ServerNameTable<ContextHandle>, protocols: [[UInt8]], ticketKeys: TicketKeyRing) {
    self.contexts = contexts
    self.protocols = protocols
    self.ticketKeys = ticketKeys
  }

  /// Sets the callbacks of a context. The caller keeps `self` alive as long as any session of the context.
  func install(in context: ContextHandle) {
    let pointer = unsafe context.pointer
    let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe sluice_ctx_on_server_name(pointer, chooseContext, argument)
    if !protocols.isEmpty { unsafe SSL_CTX_set_alpn_select_cb(pointer, chooseProtocol, argument) }
    unsafe SSL_CTX_set_ex_data(pointer, selectionIndex, argument)
    unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(pointer, protectTicket)
    unsafe SSL_CTX_set_generate_session_id(pointer, nameSession)
    unsafe SSL_CTX_set_session_id_context(pointer, sessionContext, UInt32(sessionContext.count))
    unsafe SSL_CTX_set_num_tickets(pointer, ticketsPerHandshake)
    unsafe SSL_CTX_set_timeout(pointer, ticketLifetimeSeconds)
  }

  fileprivate func context(for name: String) -> ContextHandle? {
    contexts.value(for: name)
  }

  /// Where in `offer` (RFC 7301 §3.1: each name after its length) our best common protocol stands.
  func choose(from offer: Span<UInt8>) -> Range<Int>? {
    var best: (rank: Int, range: Range<Int>)?
    var index = 0
    while index < offer.count {
      let range = index + 1..<index + 1 + Int(offer[index])
      guard range.upperBound <= offer.count else { return nil }
      let rank = protocols.firstIndex { name in
        name.count == range.count && zip(name, range).allSatisfy { byte, at in byte == offer[at] }
      }
      if let rank, rank < best?.rank ?? .max { best = (rank, range) }
      index = range.upperBound
    }
    return best?.range
  }
}

private func chooseContext(
  ssl: OpaquePointer?, alert: UnsafeMutablePointer<Int32>?, argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let argument = unsafe argument, let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
    return SSL_TLSEXT_ERR_NOACK
  }
  let selection = unsafe Unmanaged<HandshakeSelection>.fromOpaque(argument).takeUnretainedValue()
  guard let context = unsafe selection.context(for: String(cString: name)) else { return SSL_TLSEXT_ERR_NOACK }
  if unsafe SSL_get_SSL_CTX(ssl) != context.pointer { unsafe SSL_set_SSL_CTX(ssl, context.pointer) }
  return SSL_TLSEXT_ERR_OK
}

private func chooseProtocol(
  ssl: OpaquePointer?, chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, chosenCount: UnsafeMutablePointer<UInt8>?,
  offer: UnsafePointer<UInt8>?, offerCount: UInt32, argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let argument = unsafe argument, let offer = unsafe offer else { return SSL_TLSEXT_ERR_NOACK }
  let selection = unsafe Unmanaged<HandshakeSelection>.fromOpaque(argument).takeUnretainedValue()
  let names = unsafe UnsafeBufferPointer(start: offer, count: Int(offerCount))
  guard let range = unsafe selection.choose(from: names.span) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
  unsafe chosen?.pointee = unsafe offer + range.lowerBound
  unsafe chosenCount?.pointee = UInt8(range.count)
  return SSL_TLSEXT_ERR_OK
}

private func protectTicket(
  ssl: OpaquePointer?, keyName: UnsafeMutablePointer<UInt8>?, iv: UnsafeMutablePointer<UInt8>?, cipher: OpaquePointer?,
  mac: OpaquePointer?, isEncrypting: Int32
) -> Int32 {
  guard let ssl = unsafe ssl, let context = unsafe SSL_get_SSL_CTX(ssl),
    let argument = unsafe SSL_CTX_get_ex_data(context, selectionIndex),
    let keyName = unsafe keyName, let iv = unsafe iv, let cipher = unsafe cipher, let mac = unsafe mac
  else { return -1 }
  let selection = unsafe Unmanaged<HandshakeSelection>.fromOpaque(argument).takeUnretainedValue()
  let ticket = unsafe TicketProtection(ssl: ssl, keyName: keyName, iv: iv, cipher: cipher, mac: mac)
  return unsafe isEncrypting == 1 ? ticket.encrypt(with: selection.ticketKeys) : ticket.decrypt(with: selection.ticketKeys)
}

/// Names a session. Nobody looks for it by that name, since all of it is in its ticket: what OpenSSL would ask its generator for, and
/// then its cache, need be no more than random.
private func nameSession(
  ssl: OpaquePointer?, name: UnsafeMutablePointer<UInt8>?, count: UnsafeMutablePointer<UInt32>?
) -> Int32 {
  guard let ssl = unsafe ssl, let name = unsafe name, let count = unsafe count else { return 0 }
  unsafe TLSScratch.fillWithRandom(UnsafeMutableRawBufferPointer(start: name, count: Int(count.pointee)), for: ssl)
  return 1
}

/// Where a context keeps its `HandshakeSelection`.
private let selectionIndex = sluice_ctx_new_index()
/// Sessions resume only where this is the same; a listener that asks for client certificates has its own.
private let sessionContext = Array("sluice".utf8)
/// One is enough for a client that keeps one connection; each costs an encryption and 250 bytes.
private let ticketsPerHandshake = 1
/// How long a client may hold on to a ticket: as long as a key is used for new ones.
private let ticketLifetimeSeconds = 43_200
