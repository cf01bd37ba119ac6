internal import EdgeCore

/// A place in a request where a token may be.
public enum TokenSource: Hashable, Sendable, CustomStringConvertible {
  /// `Authorization: Bearer <token>` (RFC 6750 §2.1).
  case header
  /// The cookie of that name.
  case cookie(name: String)
  /// A subprotocol `bearer.<token>` beside the real one.
  case subprotocol
  /// The query parameter of that name.
  case query(name: String)
  /// The first message after the upgrade; no request carries it.
  case firstMessage

  /// Reads `header`, `cookie:NAME`, `subprotocol`, `query:NAME` or `first_message`.
  ///
  /// A cookie's name is a token of RFC 9110 §5.6.2; a parameter's name has letters, digits and `-._~` only.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts.count == 2 && ASCII.isToken(parts[1]) ? parts[1] : nil
    switch (parts[0], parts.count, name) {
    case ("header", 1, _): self = .header
    case ("subprotocol", 1, _): self = .subprotocol
    case ("first_message", 1, _): self = .firstMessage
    case ("cookie", 2, let name?): self = .cookie(name: name)
    case ("query", 2, let name?) where name.utf8.allSatisfy(ASCII.isUnreserved): self = .query(name: name)
    default: return nil
    }
  }

  /// Whether a subprotocol bears a token, whatever case its scheme is written in: such a name is chosen and offered nowhere.
  public static func isBearerSubprotocol(_ name: String) -> Bool {
    ASCII.equalIgnoringCase(String(name.prefix("bearer.".count)), "bearer.")
  }

  /// The text that `init` reads.
  public var description: String {
    switch self {
    case .header: "header"
    case .cookie(let name): "cookie:\(name)"
    case .subprotocol: "subprotocol"
    case .query(let name): "query:\(name)"
    case .firstMessage: "first_message"
    }
  }
}

/// The pieces of a request that can hold a token, as they were received.
///
/// Each method that removes a token leaves all else as it was, and removes every spelling that finding it would take for one.
public struct TokenCarriers: Hashable, Sendable {
  /// The values of all Authorization fields.
  public var authorization: [String]
  /// The values of all Cookie fields.
  public var cookies: [String]
  /// The values of all Sec-WebSocket-Protocol fields.
  public var subprotocols: [String]
  /// The query without its question mark.
  public var query: String?

  /// Collects the pieces.
  public init(authorization: [String] = [], cookies: [String] = [], subprotocols: [String] = [], query: String? = nil) {
    self.authorization = authorization
    self.cookies = cookies
    self.subprotocols = subprotocols
    self.query = query
  }

  /// The token in the first of `sources` that has one, and which that was; nil if none has.
  ///
  /// - Throws: `TokenError.invalid` when a source that comes up has several, or something that cannot be a token.
  public func token(from sources: [TokenSource]) throws(TokenError) -> (text: String, source: TokenSource)? {
    for source in sources {
      if let text = try token(in: source) { return (text, source) }
    }
    return nil
  }

  /// Removes what `source` could take for a token.
  public mutating func removeToken(in source: TokenSource) {
    switch source {
    case .header: authorization.removeAll { startOfCredentials($0) != nil }
    case .cookie(let name): cookies = CookieText.removing(name, from: cookies)
    case .subprotocol:
      subprotocols = subprotocols.compactMap { field in
        let kept = listElements(field).filter { bearerProtocol($0) == nil }
        return kept.isEmpty ? nil : kept.joined(separator: ", ")
      }
    case .query(let name): query = query.flatMap { QueryText.removing(name, from: $0) }
    case .firstMessage: break
    }
  }

  private func token(in source: TokenSource) throws(TokenError) -> String? {
    switch source {
    case .header:
      guard authorization.count <= 1 else { throw .invalid(.repeated) }
      return try onlyToken(authorization.compactMap(bearerCredentials))
    case .cookie(let name):
      return try onlyToken(CookieText.values(of: name, in: cookies))
    case .subprotocol:
      return try onlyToken(subprotocols.flatMap(listElements).compactMap(bearerProtocol))
    case .query(let name):
      return try onlyToken(query.map { QueryText.values(of: name, in: $0) } ?? [])
    case .firstMessage:
      return nil
    }
  }
}

/// The one candidate, which must be a `b64token` (RFC 6750 §2.1).
private func onlyToken(_ candidates: [String]) throws(TokenError) -> String? {
  guard candidates.count <= 1 else { throw .invalid(.repeated) }
  guard let text = candidates.first else { return nil }
  guard isToken(text.utf8.span) else { throw .invalid(.malformed) }
  return text
}

/// Whether there are bytes of a token, and nothing but padding behind them. A loop over the span: the same in terms of
/// collections cost each handshake 23,000 instructions.
private func isToken(_ text: Span<UInt8>) -> Bool {
  var end = text.count
  while end > 0, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
  let token = text.extracting(first: end)
  for index in token.indices where !isTokenByte(token[index]) { return false }
  return !token.isEmpty
}

private func isTokenByte(_ byte: UInt8) -> Bool {
  ASCII.isUnreserved(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
}

private func bearerCredentials(_ value: String) -> String? {
  startOfCredentials(value).map { String(Substring(value.utf8.dropFirst($0))) }
}

/// How many bytes the scheme `Bearer` and its spaces take, or nil for another scheme. A loop over the span, for the same reason.
private func startOfCredentials(_ value: String) -> Int? {
  let bytes = value.utf8.span
  let scheme = "bearer".utf8.span
  guard bytes.count >= scheme.count else { return nil }
  for index in scheme.indices where ASCII.lowercased(bytes[index]) != scheme[index] { return nil }
  var start = scheme.count
  while start < bytes.count, bytes[start] == UInt8(ascii: " ") { start += 1 }
  guard start > scheme.count || start == bytes.count else { return nil }
  return start
}

private func bearerProtocol(_ name: String) -> String? {
  TokenSource.isBearerSubprotocol(name) ? String(name.dropFirst("bearer.".count)) : nil
}

/// The elements of a comma-separated list, without the white space around them.
private func listElements(_ field: String) -> [String] {
  field.utf8.split(separator: UInt8(ascii: ",")).map { trimmed($0) }.filter { !$0.isEmpty }
}
