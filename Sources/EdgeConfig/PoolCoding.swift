import EdgeCore
import EdgeRouting

extension Configuration.Pool {
  static func read(_ name: String, _ section: Section) -> Configuration.Pool? {
    let what = "Unix sockets or globs such as /run/chat/*.sock"
    let workers = section.required("workers", "a list of \(what)")?.uniqueList(of: what) { item in
      item.parsed("the absolute path of a Unix socket of at most 107 bytes, or a glob such as /run/chat/*.sock") {
        isSocketPath($0) ? $0 : nil
      }
    }
    let proto = section.word("protocol", default: Configuration.WorkerProtocol.websocket)
    let balance = section["balance"]?.parsed(Configuration.Balance.forms) { Configuration.Balance($0) }
    let secret = section["cookie_secret_file"]
    let secretFile = secret?.file()
    if let secret, balance != .cookie {
      secret.refuse("nothing here uses the secret", "expected balance: cookie beside it")
    }
    let health = section["health"]?.section(Configuration.HealthCheck.read)
    guard isName(name) else {
      section.refuse("\"\(abridged(name))\" is not allowed as a name", "expected \(nameRule)")
      return nil
    }
    return Configuration.Pool(
      name: name, workers: workers ?? [], protocol: proto, balance: balance ?? .any(.leastConnections),
      cookieSecretFile: secretFile, health: health)
  }

  var node: SettingNode {
    .map([
      "workers": .list(workers.map(SettingNode.text)), "protocol": .plain(`protocol`.rawValue),
      "balance": .text(balance.text), "cookie_secret_file": cookieSecretFile.map(SettingNode.text) ?? .null,
      "health": health?.node ?? .null,
    ])
  }
}

extension Configuration.HealthCheck {
  static func read(_ section: Section) -> Configuration.HealthCheck? {
    let path = section.required("path", "the path that workers answer, such as /healthz")?.parsed("a path such as /healthz") {
      $0.hasPrefix("/") && $0.utf8.allSatisfy { ASCII.isVisible($0) && $0 != UInt8(ascii: "#") } ? $0 : nil
    }
    let interval = section.duration("interval", default: .seconds(2), in: .milliseconds(100) ... .seconds(3600))
    let timeout = section.duration("timeout", default: .seconds(2), in: .milliseconds(10) ... .seconds(60))
    let fall = section.integer("fall", default: 3, in: 1...100)
    let rise = section.integer("rise", default: 2, in: 1...100)
    guard let path else { return nil }
    return Configuration.HealthCheck(path: path, interval: interval, timeout: timeout, fall: fall, rise: rise)
  }

  var node: SettingNode {
    .map([
      "path": .text(path), "interval": .duration(interval), "timeout": .duration(timeout), "fall": .plain(String(fall)),
      "rise": .plain(String(rise)),
    ])
  }
}

extension Configuration.Balance {
  static let forms = "least_connections, round_robin, cookie, hash:user, hash:ip or hash:query:NAME"

  init?(_ text: String) {
    switch text {
    case "cookie": self = .cookie
    case "hash:user": self = .hash(.user)
    case "hash:ip": self = .hash(.ip)
    case _ where text.hasPrefix("hash:query:") && ASCII.isToken(text.dropFirst(11)):
      self = .hash(.query(name: String(text.dropFirst(11))))
    default:
      guard let rule = WorkerPool.Settings.Balance(rawValue: text) else { return nil }
      self = .any(rule)
    }
  }

  /// The rule as an operator writes it.
  public var text: String {
    switch self {
    case .any(let rule): rule.rawValue
    case .cookie: "cookie"
    case .hash(.user): "hash:user"
    case .hash(.ip): "hash:ip"
    case .hash(.query(let name)): "hash:query:\(name)"
    }
  }
}
