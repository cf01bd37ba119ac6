import EdgeCore

extension Configuration.Listener {
  static func read(_ section: Section) -> Configuration.Listener? {
    let name = section.required("name", nameRule)?.name()
    let address = section.required("address", Configuration.ListenAddress.forms)?.listenAddress()
    let protocols = section["protocols"]?.uniqueList(of: "protocols") { $0.word(Configuration.ApplicationProtocol.self) }
    let tls = section["tls"]?.section(Configuration.TLS.read)
    let proxy = section.word("proxy_protocol", default: Configuration.ProxyProtocol.off)
    guard let name, let address else { return nil }
    let usual: [Configuration.ApplicationProtocol] = tls == nil ? [.http1] : [.http2, .http1]
    return Configuration.Listener(name: name, address: address, protocols: protocols ?? usual, tls: tls, proxyProtocol: proxy)
  }

  var node: SettingNode {
    .map([
      "name": .text(name), "address": .text(address.text), "protocols": .list(protocols.map { .text($0.rawValue) }),
      "tls": tls?.node ?? .null, "proxy_protocol": .plain(proxyProtocol.rawValue),
    ])
  }
}

extension Configuration.TLS {
  static func read(_ section: Section) -> Configuration.TLS? {
    let what = "certificates, each with chain and key"
    let certificates = section.required("certificates", "a list of \(what)")?.uniqueList(of: what) { item in
      item.section { section -> Configuration.Certificate? in
        let chain = section.required("chain", "the PEM file of the certificate chain")?.file()
        let key = section.required("key", "the PEM file of the private key")?.file()
        guard let chain, let key else { return nil }
        return Configuration.Certificate(chain: chain, key: key)
      }
    }
    let version = section.word("min_version", default: Configuration.TLSVersion.tls12)
    let clientCA = section["client_ca"]?.file()
    let requested = section["client_certificates"]
    let clients = requested?.word(Configuration.ClientCertificates.self) ?? (clientCA == nil ? .none : .required)
    if let requested, clients != .none, clientCA == nil {
      requested.refuse("client certificates are asked for", "expected client_ca, the file of the authorities that sign them")
    }
    return Configuration.TLS(
      certificates: certificates ?? [], minimumVersion: version, clientCA: clientCA, clientCertificates: clients)
  }

  var node: SettingNode {
    .map([
      "certificates": .list(certificates.map { .map(["chain": .text($0.chain), "key": .text($0.key)]) }),
      "min_version": .text(minimumVersion.rawValue), "client_ca": clientCA.map(SettingNode.text) ?? .null,
      "client_certificates": .plain(clientCertificates.rawValue),
    ])
  }
}

extension Configuration.ListenAddress {
  static let forms = "an address such as \"[::]:8443\", \"0.0.0.0:8443\", unix:/run/sluice/edge.sock or fd://NAME"

  /// Reads the form that `text` writes.
  init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard isSocketPath(path) else { return nil }
      self = .unix(path: path)
    } else if text.hasPrefix("fd://") {
      let name = String(text.dropFirst(5))
      guard isSocketName(name) else { return nil }
      self = .systemd(name: name)
    } else {
      guard let colon = text.lastIndex(of: ":") else { return nil }
      var host = text[..<colon]
      let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
      if isBracketed { host = host.dropFirst().dropLast() }
      guard let address = IPAddress(host), isBracketed == host.contains(":"),
        let port = Quantity.integer(text[text.index(after: colon)...]), let port = UInt16(exactly: port)
      else { return nil }
      self = .tcp(address, port: port)
    }
  }

  /// The address as an operator writes it.
  public var text: String {
    switch self {
    case .tcp(let address, let port): PeerAddress.ip(address, port: port).description
    case .unix(let path): "unix:\(path)"
    case .systemd(let name): "fd://\(name)"
    }
  }
}

extension Setting {
  func listenAddress() -> Configuration.ListenAddress? {
    parsed(Configuration.ListenAddress.forms) { Configuration.ListenAddress($0) }
  }
}

/// Whether a text is the absolute path of a Unix socket, short enough for the kernel.
func isSocketPath(_ path: String) -> Bool {
  path.hasPrefix("/") && !path.hasSuffix("/") && path.utf8.count <= maxSocketPathBytes
    && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
}

/// Whether a service manager may give a socket this name (systemd.socket(5), FileDescriptorName=), and it is visible.
private func isSocketName(_ name: String) -> Bool {
  (1...255).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: ":") }
}

/// What fits `sockaddr_un` with its closing zero byte.
private let maxSocketPathBytes = 107
