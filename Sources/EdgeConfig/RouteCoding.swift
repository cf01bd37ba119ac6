import EdgeAuth
import EdgeCore
import EdgeRouting

/// The names that a route may refer to.
struct RouteReferences {
  let pools: [String]
  let auths: [String]
}

extension Configuration.Route {
  static func read(_ section: Section, references: RouteReferences) -> Configuration.Route? {
    let name = section.required("name", nameRule)?.name()
    let match = section.section("match", RoutePattern.read)
    let pool = section.required("pool", "the name of a pool")?.reference(to: "pool", among: references.pools)
    let authSetting = section["auth"]
    let auth = authSetting?.reference(to: "auth", among: references.auths)
    let origins = OriginRule.read(section)
    let rejections = section.section("reject", Configuration.Rejections.read)
    let ping = section.section("ping", Configuration.Ping.read)
    let headers = section.section("headers") { Configuration.Headers.read($0, hasAuth: authSetting != nil) }
    let closeCodes = section.section("close_codes", Configuration.CloseCodes.read)
    let subprotocols = section["subprotocols"]?.uniqueList(of: "subprotocols", mayBeEmpty: true) { item in
      item.parsed("a token such as chat.v1; bearer.… carries tokens") {
        ASCII.isToken($0) && !TokenSource.isBearerSubprotocol($0) ? $0 : nil
      }
    }
    let maxMessage = section.size("max_message", default: 1_048_576, in: 1...1_073_741_824)
    let maxSendQueue = section.size("max_send_queue", default: 131_072, in: 4096...1_073_741_824)
    let checkUTF8 = section.flag("check_utf8", default: true)
    let messages = section.meteredLimit("messages", bytes: false)
    let bytes = section.meteredLimit("bytes", bytes: true)
    let notice = section.word("notice", default: Configuration.Notice.none)
    let renew = section.word("renew", default: Configuration.Renewal.none)
    if renew == .message, authSetting == nil {
      section["renew"]?.refuse("there is no token to renew: the route is open", "expected auth beside it")
    }
    let idleTimeout = section.duration("idle_timeout", default: .seconds(600))
    guard let name, let match, let pool, let rejections, let ping, let headers, let closeCodes else { return nil }
    return Configuration.Route(
      name: name, match: match, pool: pool, auth: auth, origins: origins,
      reject: rejections, subprotocols: subprotocols ?? [], maxMessage: maxMessage, maxSendQueue: maxSendQueue,
      checkUTF8: checkUTF8, messages: messages, bytes: bytes, notice: notice, renew: renew, ping: ping,
      idleTimeout: idleTimeout, headers: headers, closeCodes: closeCodes)
  }

  var node: SettingNode {
    .map([
      "name": .text(name), "match": match.node, "pool": .text(pool), "auth": auth.map(SettingNode.text) ?? .null,
      "origins": origins.patternsNode, "origin_missing": .plain(origins.missing.rawValue),
      "origin_null": .plain(origins.null.rawValue),
      "reject": reject.node, "subprotocols": .list(subprotocols.map(SettingNode.text)), "max_message": .size(maxMessage),
      "max_send_queue": .size(maxSendQueue), "check_utf8": .plain(String(checkUTF8)),
      "messages": .limit(messages, bytes: false), "bytes": .limit(bytes, bytes: true), "notice": .plain(notice.rawValue),
      "renew": .plain(renew.rawValue),
      "ping": .map(["interval": .duration(ping.interval), "timeout": .duration(ping.timeout)]),
      "idle_timeout": .duration(idleTimeout), "headers": headers.node, "close_codes": closeCodes.node,
    ])
  }
}

extension RoutePattern {
  static func read(_ section: Section) -> RoutePattern? {
    let host = section["host"].map { $0.parsed(hostForms) { HostPattern($0) } } ?? .any
    let path = section["path"].map { $0.parsed(pathForms) { PathPattern($0) } } ?? .prefix("/")
    guard let host, let path else { return nil }
    return RoutePattern(host: host, path: path)
  }

  var node: SettingNode {
    .map(["host": host == .any ? .null : .text(host.description), "path": .text(path.description)])
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

private let hostForms = "a host such as chat.example.com or *.example.com, without scheme and port"
private let pathForms = "a path such as /ws (and all below it) or =/ws (alone), without //, dot segments and needless escapes"
