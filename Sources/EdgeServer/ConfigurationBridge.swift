import EdgeAuth
import EdgeConfig
import EdgeRouting

extension Configuration.Route {
  /// The rule for this route's origins.
  var originRule: OriginRule {
    let patterns: [EdgeAuth.OriginPattern] =
      switch origins {
      case .any: [.any]
      case .list(let list): list.map(EdgeAuth.OriginPattern.init)
      }
    return OriginRule(
      patterns: patterns, missing: originMissing == .allow ? .allow : .refuse, null: originNull == .allow ? .allow : .refuse)
  }

  func identityHeaders() throws(StartError) -> [IdentityHeader] {
    var all: [IdentityHeader] = []
    for rule in headers.set {
      let text = rule.value.parts.map { part in
        switch part {
        case .literal(let text): text
        case .claim(let name): "{claim.\(name)}"
        }
      }.joined()
      do { all.append(IdentityHeader(name: rule.name, template: try HeaderTemplate(text))) } catch {
        throw .configuration("route \(name): header \(rule.name): \(error.rawValue)")
      }
    }
    return all
  }
}

extension EdgeAuth.OriginPattern {
  fileprivate init(_ pattern: Configuration.OriginPattern) {
    self =
      switch pattern {
      case .sameOrigin: .sameOrigin
      case .exact(let scheme, let host, let port): .exact(.tuple(scheme: scheme, host: host, port: port))
      case .subdomains(let scheme, let suffix, let port): .subdomains(scheme: scheme, suffix: ".\(suffix)", port: port)
      }
  }
}

extension Configuration.Match {
  var hostPattern: EdgeRouting.HostPattern {
    switch host {
    case .any: .any
    case .exact(let name): .exact(name)
    case .wildcard(let suffix): .wildcard(suffix: ".\(suffix)")
    }
  }

  var pathPattern: EdgeRouting.PathPattern {
    switch path {
    case .prefix(let path): .prefix(path)
    case .exact(let path): .exact(path)
    }
  }
}

extension Configuration.Auth {
  var signatureAlgorithms: [EdgeAuth.SignatureAlgorithm] {
    algorithms.compactMap { EdgeAuth.SignatureAlgorithm(name: $0.rawValue) }
  }

  var tokenSources: [TokenSource] {
    tokenFrom.map { location in
      switch location {
      case .header: .header
      case .cookie(let name): .cookie(name: name)
      case .subprotocol: .subprotocol
      case .query(let name): .query(name: name)
      case .firstMessage: .firstMessage
      }
    }
  }
}
