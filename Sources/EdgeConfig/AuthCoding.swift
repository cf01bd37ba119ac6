import EdgeAuth
import EdgeCore

extension Configuration.Auth {
  static func read(_ section: Section) -> Configuration.Auth? {
    let issuer = section.text("issuer", "the `iss` claim of accepted tokens")
    let audience = section["audience"]?.list(of: "values of the `aud` claim") { $0.text("a value of the `aud` claim") } ?? []
    let keys = section.required("keys", "one of file, url and secret_file")?.section(Configuration.KeySource.read)
    let algorithms = readAlgorithms(section, keys: keys)
    let tokenFrom = section["token_from"]?.uniqueList(of: "places") { item in
      item.parsed("header, cookie:NAME, subprotocol, query:NAME or first_message") { TokenSource($0) }
    }
    let required = section["required_claims"]?.list(of: "names of claims") { $0.text("the name of a claim") } ?? []
    let userClaim = section.text("user_claim", "the name of a claim") ?? "sub"
    let leeway = section.duration("leeway", default: .seconds(30), in: .zero ... .seconds(600))
    guard let keys else { return nil }
    return Configuration.Auth(
      issuer: issuer, audience: audience, algorithms: algorithms, keys: keys, tokenFrom: tokenFrom ?? [.header],
      requiredClaims: required, userClaim: userClaim, leeway: leeway)
  }

  /// A secret must never check a signature made with a private key, nor the other way round (RFC 8725 §2.1).
  private static func readAlgorithms(
    _ section: Section, keys: Configuration.KeySource?
  ) -> [SignatureAlgorithm] {
    let needSecret = keys?.isSecret ?? false
    guard let setting = section["algorithms"] else { return needSecret ? [.hs256] : [.es256, .rs256, .edDSA] }
    let algorithms = setting.uniqueList(of: "algorithms") { item -> SignatureAlgorithm? in
      guard let algorithm = item.word(SignatureAlgorithm.self) else { return nil }
      if keys != nil, algorithm.isSymmetric != needSecret {
        item.refuse(
          "\(algorithm.rawValue) does not fit the keys",
          needSecret ? "expected HS256, HS384 or HS512 with secret_file" : "expected secret_file with HS256, HS384 and HS512")
      }
      return algorithm
    }
    return algorithms ?? []
  }

  var node: SettingNode {
    .map([
      "issuer": issuer.map(SettingNode.text) ?? .null, "audience": .list(audience.map(SettingNode.text)),
      "algorithms": .list(algorithms.map { .plain($0.rawValue) }), "keys": keys.node,
      "token_from": .list(tokenFrom.map { .text($0.description) }),
      "required_claims": .list(requiredClaims.map(SettingNode.text)),
      "user_claim": .text(userClaim), "leeway": .duration(leeway),
    ])
  }
}

extension Configuration.KeySource {
  var isSecret: Bool {
    switch self {
    case .secretFile: true
    case .file, .url: false
    }
  }

  static func read(_ section: Section) -> Configuration.KeySource? {
    let file = section["file"]?.file().map { Configuration.KeySource.file($0) }
    let secret = section["secret_file"]?.file().map { Configuration.KeySource.secretFile($0) }
    let url = section["url"]
    let remote = Configuration.RemoteKeys.read(section, url: url)
    guard [section["file"], section["secret_file"], url].count(where: { $0 != nil }) == 1 else {
      section.refuse("there must be one source of keys", "expected one of file, url and secret_file")
      return nil
    }
    return file ?? secret ?? remote.map(Configuration.KeySource.url)
  }

  var node: SettingNode {
    switch self {
    case .file(let name): .map(["file": .text(name)])
    case .secretFile(let name): .map(["secret_file": .text(name)])
    case .url(let remote): remote.node
    }
  }
}

extension Configuration.RemoteKeys {
  fileprivate static func read(_ section: Section, url: Setting?) -> Configuration.RemoteKeys? {
    let companions = ["refresh", "stale_for", "ca_file"].map { (name: $0, setting: section[$0]) }
    guard let url else {
      for (name, setting) in companions {
        setting?.refuse("\(name) goes with url", "expected it without file or secret_file")
      }
      return nil
    }
    let refresh = section.duration("refresh", default: .seconds(600), in: .seconds(10) ... .seconds(7 * 86_400))
    let staleFor = section.duration("stale_for", default: .seconds(86_400), in: durationsFromZero)
    let caFile = section["ca_file"]?.file()
    return url.parsed("an https:// address", httpsAddress).map { address in
      Configuration.RemoteKeys(url: address, refresh: refresh, staleFor: staleFor, caFile: caFile)
    }
  }

  fileprivate var node: SettingNode {
    .map([
      "url": .text(url), "refresh": .duration(refresh), "stale_for": .duration(staleFor),
      "ca_file": caFile.map(SettingNode.text) ?? .null,
    ])
  }
}

/// Takes an https address with a host that can be, without credentials, which logs would show, and without a fragment.
private func httpsAddress(_ text: String) -> String? {
  guard text.hasPrefix("https://"), text.utf8.allSatisfy(ASCII.isVisible) else { return nil }
  let rest = text.dropFirst("https://".count)
  let authority = rest.prefix { $0 != "/" && $0 != "?" }
  guard !authority.contains("@"), !authority.contains("\\"), !rest.contains("#") else { return nil }
  return hasProperHostAndPort(authority) ? text : nil
}

private func hasProperHostAndPort(_ authority: Substring) -> Bool {
  let port = authority.hasSuffix("]") ? nil : authority.lastIndex(of: ":")
  let host = port.map { authority[..<$0] } ?? authority
  guard HostName.normalized(host) != nil else { return false }
  guard let digits = port.map({ authority[$0...].dropFirst() }) else { return true }
  return PortNumber.parse(digits.utf8.span) != nil
}
