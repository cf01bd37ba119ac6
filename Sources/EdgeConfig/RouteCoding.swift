import EdgeCore

/// The names that a route may refer to.
struct RouteReferences {
  let pools: [String]
  let auths: [String]
}

extension Configuration.Route {
  static func read(_ section: Section, references: RouteReferences) -> Configuration.Route? {
    let name = section.required("name", nameRule)?.name()
    let match = section.section("match", Configuration.Match.read)
    let pool = section.required("pool", "the name of a pool")?.reference(to: "pool", among: references.pools)
    let authSetting = section["auth"]
    let auth = authSetting?.reference(to: "auth", among: references.auths)
    let originsSetting = section["origins"]
    let origins = originsSetting?.origins() ?? .list([.sameOrigin])
    let isListed = originsSetting != nil
    let rejections = section.section("reject", Configuration.Rejections.read)
    let ping = section.section("ping", Configuration.Ping.read)
    let headers = section.section("headers") { Configuration.Headers.read($0, hasAuth: authSetting != nil) }
    let closeCodes = section.section("close_codes", Configuration.CloseCodes.read)
    let missing = section.word(
      "origin_missing", default: !isListed || origins == .any ? .allow : Configuration.OriginDecision.refuse)
    let opaque = section.word("origin_null", default: origins == .any ? .allow : Configuration.OriginDecision.refuse)
    let subprotocols = section["subprotocols"]?.uniqueList(of: "subprotocols", mayBeEmpty: true) { item in
      item.parsed("a token such as chat.v1") { isToken($0) ? $0 : nil }
    }
    let maxMessage = section.size("max_message", default: 1_048_576, in: 1...1_073_741_824)
    let maxSendQueue = section.size("max_send_queue", default: 131_072, in: 4096...1_073_741_824)
    let checkUTF8 = section.flag("check_utf8", default: true)
    let messages = section.meteredLimit("messages", bytes: false)
    let bytes = section.meteredLimit("bytes", bytes: true)
    let notice = section.word("notice", default: Configuration.Notice.none)
    let renew = section.word("renew", default: Configuration.Renewal.none)
    let idleTimeout = section.duration("idle_timeout", default: .seconds(600))
    guard let name, let match, let pool, let rejections, let ping, let headers, let closeCodes else { return nil }
    return Configuration.Route(
      name: name, match: match, pool: pool, auth: auth, origins: origins, originMissing: missing, originNull: opaque,
      reject: rejections, subprotocols: subprotocols ?? [], maxMessage: maxMessage, maxSendQueue: maxSendQueue,
      checkUTF8: checkUTF8, messages: messages, bytes: bytes, notice: notice, renew: renew, ping: ping,
      idleTimeout: idleTimeout, headers: headers, closeCodes: closeCodes)
  }

  var node: SettingNode {
    .map([
      "name": .text(name), "match": match.node, "pool": .text(pool), "auth": auth.map(SettingNode.text) ?? .null,
      "origins": origins.node, "origin_missing": .plain(originMissing.rawValue), "origin_null": .plain(originNull.rawValue),
      "reject": reject.node, "subprotocols": .list(subprotocols.map(SettingNode.text)), "max_message": .size(maxMessage),
      "max_send_queue": .size(maxSendQueue), "check_utf8": .plain(String(checkUTF8)),
      "messages": .limit(messages, bytes: false), "bytes": .limit(bytes, bytes: true), "notice": .plain(notice.rawValue),
      "renew": .plain(renew.rawValue),
      "ping": .map(["interval": .duration(ping.interval), "timeout": .duration(ping.timeout)]),
      "idle_timeout": .duration(idleTimeout), "headers": headers.node, "close_codes": closeCodes.node,
    ])
  }
}

extension Configuration.Match {
  static func read(_ section: Section) -> Configuration.Match? {
    let host = section["host"].map { $0.parsed(hostForms) { Configuration.HostPattern($0) } } ?? .any
    let path = section["path"].map { $0.parsed(pathForms) { Configuration.PathPattern($0) } } ?? .prefix("/")
    guard let host, let path else { return nil }
    return Configuration.Match(host: host, path: path)
  }

  var node: SettingNode {
    let host =
      switch host {
      case .any: SettingNode.null
      case .exact(let name): SettingNode.text(name)
      case .wildcard(let suffix): SettingNode.text("*.\(suffix)")
      }
    let path =
      switch path {
      case .prefix(let path): path
      case .exact(let path): "=\(path)"
      }
    return .map(["host": host, "path": .text(path)])
  }
}

extension Configuration.HostPattern {
  /// Reads a host, `*.` and a host, or `*`.
  init?(_ text: String) {
    if text == "*" {
      self = .any
    } else if text.hasPrefix("*.") {
      guard let suffix = normalHost(text.dropFirst(2)), !suffix.hasPrefix("[") else { return nil }
      self = .wildcard(suffix: suffix)
    } else {
      guard let host = normalHost(text) else { return nil }
      self = .exact(host)
    }
  }
}

extension Configuration.PathPattern {
  /// Reads a path in the normal form that requests are brought to, after `=` for that path alone.
  init?(_ text: String) {
    let isExact = text.hasPrefix("=")
    let path = isExact ? String(text.dropFirst()) : text
    guard isNormalPath(path) else { return nil }
    self = isExact ? .exact(path) : .prefix(path)
  }
}

extension Configuration.Rejections {
  static func read(_ section: Section) -> Configuration.Rejections {
    Configuration.Rejections(
      origin: section.word("origin", default: .http), auth: section.word("auth", default: .http),
      rate: section.word("rate", default: .http), banned: section.word("banned", default: .http))
  }

  var node: SettingNode {
    .map([
      "origin": .plain(origin.rawValue), "auth": .plain(auth.rawValue), "rate": .plain(rate.rawValue),
      "banned": .plain(banned.rawValue),
    ])
  }
}

extension Configuration.Ping {
  static func read(_ section: Section) -> Configuration.Ping {
    Configuration.Ping(
      interval: section.duration("interval", default: .seconds(25)), timeout: section.duration("timeout", default: .seconds(20)))
  }
}

extension Setting {
  /// A name that must be among those defined elsewhere in the document.
  func reference(to what: String, among names: [String]) -> String? {
    guard let name = parsed("the name of an entry there", { $0.isEmpty ? nil : $0 }) else { return nil }
    guard names.contains(name) else {
      let hint = names.isEmpty ? "there is none defined" : suggestion(for: name, among: names)
      refuse("unknown \(what) \"\(abridged(name))\"", hint)
      return nil
    }
    return name
  }
}

/// A host in the one form that requests are compared in: lower case, no trailing dot; IPv6 in brackets. Nil when it is none.
func normalHost(_ text: some StringProtocol) -> String? {
  var host = text.lowercased()
  if host.hasPrefix("["), host.hasSuffix("]") {
    guard let address = IPAddress(host.dropFirst().dropLast()), !address.isIPv4 else { return nil }
    return "[\(address)]"
  }
  if host.hasSuffix(".") { host.removeLast() }
  let areLabels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
    (1...63).contains(label.count)
      && label.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
  }
  return areLabels && host.utf8.count <= 253 ? host : nil
}

private func isNormalPath(_ path: String) -> Bool {
  guard path.hasPrefix("/"), path.utf8.count <= 1024 else { return false }
  let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
  return segments.enumerated().allSatisfy { index, segment in
    segment != "." && segment != ".." && (!segment.isEmpty || index == segments.count - 1) && isNormalSegment(segment)
  }
}

/// Unreserved characters and sub-delimiters stand for themselves; any other byte is an escape in upper case (RFC 3986 §6.2.2).
private func isNormalSegment(_ segment: Substring) -> Bool {
  var bytes = Array(segment.utf8)[...]
  while let byte = bytes.popFirst() {
    if byte == UInt8(ascii: "%") {
      guard let high = bytes.popFirst(), let low = bytes.popFirst(), let upper = ASCII.hexDigit(high),
        let lower = ASCII.hexDigit(low), high < 0x61, low < 0x61
      else { return false }
      let value = upper << 4 | lower
      guard !isUnreserved(value), value != 0, value != UInt8(ascii: "/"), value != UInt8(ascii: "\\") else { return false }
    } else {
      guard isUnreserved(byte) || subDelimiters.utf8.contains(byte) else { return false }
    }
  }
  return true
}

private func isUnreserved(_ byte: UInt8) -> Bool {
  ASCII.isLetter(byte) || ASCII.isDigit(byte) || "-._~".utf8.contains(byte)
}

private let subDelimiters = "!$&'()*+,;=:@"
private let hostForms = "a host such as chat.example.com or *.example.com, without scheme and port"
private let pathForms = "a path such as /ws (and all below it) or =/ws (alone), without //, dot segments and needless escapes"
