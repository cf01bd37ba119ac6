import COpenSSL
public import EdgeCore

/// What the TLS sessions of a listener share: certificates, versions, application protocols, ticket keys. Immutable.
///
/// Of several certificates the one is served that names what the client asks for: exactly, or by a wildcard of one label;
/// else the first. Certificates of one name with different kinds of key stand side by side.
public final class TLSServerContext: Sendable {
  /// One configured certificate, for metrics and the admin plane.
  public struct CertificateSummary: Sendable, Equatable, CustomStringConvertible {
    /// The chain's path, or the name of its source.
    public let name: String
    /// The DNS names it was issued for.
    public let dnsNames: [String]
    /// The addresses it was issued for.
    public let addresses: [IPAddress]
    /// Whom it was issued to, as RFC 4514 writes it.
    public let subject: String
    /// Who vouches for it.
    public let issuer: String
    /// Its number among its issuer's, in hexadecimal digits.
    public let serialNumber: String
    /// The kind of its key, such as `EC P-256` or `RSA 2048`.
    public let keyType: String
    /// The moment it begins to be valid; nil where the date cannot be read.
    public let notBefore: WallTime?
    /// The moment after which it is no longer valid.
    public let notAfter: WallTime
    /// SHA-256 over the certificate and those that vouch for it, as they were read.
    public let fingerprint: [UInt8]

    /// What tells it from another, for people.
    public var description: String {
      "until \(notAfter.rfc3339), sha256 \(Hexadecimal.text(fingerprint.prefix(8)))"
    }
  }

  /// The configured certificates, in order.
  public let certificates: [CertificateSummary]
  /// Which certificates clients show; nil where they are asked for none.
  public let clients: ClientVerification?

  /// Serves clients that ask for no name, or for one we do not have.
  let defaultContext: ContextHandle
  /// What callbacks are handed; lives as long as this object, which every session keeps.
  private let selection: HandshakeSelection

  /// Reads and checks the certificates.
  ///
  /// - Parameters:
  ///   - applicationProtocols: what we speak, best first; when empty, a client's offer is ignored.
  ///   - clients: which certificates clients show.
  ///   - ticketKeys: keys that every context handed the same ring shares.
  ///   - now: when the certificates' dates must hold; nil to take them as they are.
  /// - Throws: `CertificateError` about the first certificate that cannot be served.
  public init(
    certificates sources: [CertificateSource], applicationProtocols: [String] = [], minVersion: TLSVersion = .tls12,
    clients: ClientVerification? = nil, ticketKeys: TicketKeyRing, now: WallTime?
  ) throws(CertificateError) {
    var loaded: [ServerCertificate] = []
    for source in sources { loaded.append(try ServerCertificate(source, now: now)) }
    guard let first = loaded.first else { throw CertificateError(source: "", problem: .noneConfigured) }
    var groups = ContextGroups(certificates: loaded, minVersion: minVersion)
    let names = loaded.flatMap(\.leaf.names)
    var table = ServerNameTable<ContextHandle>()
    for name in Set(names) { table.set(name, to: try groups.context(serving: name)) }
    defaultContext = try groups.context(serving: first.leaf.names.first ?? "", atLeast: 0)
    selection = HandshakeSelection(
      contexts: table, protocols: applicationProtocols.map { Array($0.utf8) }, ticketKeys: ticketKeys)
    certificates = loaded.map(CertificateSummary.init)
    self.clients = clients
    for context in groups.all {
      selection.install(in: context)
      try clients?.install(in: context)
    }
  }
}

extension TLSServerContext.CertificateSummary {
  fileprivate init(_ certificate: ServerCertificate) {
    let leaf = certificate.leaf
    name = certificate.name
    dnsNames = leaf.names
    addresses = leaf.addresses
    subject = leaf.subject
    issuer = leaf.issuer
    serialNumber = leaf.serialNumber
    keyType = certificate.key.typeName
    notBefore = leaf.notBefore
    notAfter = leaf.notAfter ?? WallTime(nanoseconds: .max)
    fingerprint = certificate.fingerprint
  }
}

/// Makes one context for each set of certificates that some name is served with.
private struct ContextGroups {
  let certificates: [ServerCertificate]
  let minVersion: TLSVersion
  private var made: [[Int]: ContextHandle] = [:]

  init(certificates: [ServerCertificate], minVersion: TLSVersion) {
    self.certificates = certificates
    self.minVersion = minVersion
  }

  var all: [ContextHandle] { Array(made.values) }

  /// The context with the best certificate of each kind of key for `name`: exact before wildcard, earlier before later.
  ///
  /// - Parameter certificate: the index of one that is in it whatever its names.
  mutating func context(serving name: String, atLeast certificate: Int? = nil) throws(CertificateError) -> ContextHandle {
    var chosen: [Int32: Int] = [:]
    if let certificate { chosen[certificates[certificate].keyKind] = certificate }
    let wildcard = name.firstIndex(of: ".").map { "*" + name[$0...] }
    for wanted in [name, wildcard] {
      for (index, candidate) in certificates.enumerated() where chosen[candidate.keyKind] == nil {
        if let wanted, candidate.leaf.names.contains(wanted) { chosen[candidate.keyKind] = index }
      }
    }
    let members = chosen.values.sorted()
    if let context = made[members] { return context }
    let context: ContextHandle
    do throws(TLSError) {
      context = try ContextHandle(side: .server, versions: minVersion ... .tls13)
      try context.offerSignatures(of: Set(members.map { certificates[$0].keyKind }))
    } catch {
      throw CertificateError(source: certificates[members.first ?? 0].name, problem: .refused(error.word))
    }
    for member in members { try certificates[member].install(in: context) }
    made[members] = context
    return context
  }
}
