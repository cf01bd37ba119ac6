public import EdgeCore

extension Configuration {
  /// An address that clients reach, and what is spoken there.
  public struct Listener: Sendable, Equatable {
    /// Names the listener in metrics and logs.
    public internal(set) var name: String
    /// Where it listens.
    public internal(set) var address: ListenAddress
    /// The HTTP versions it offers, the preferred one first; never empty.
    public internal(set) var protocols: [ApplicationProtocol]
    /// How TLS is ended here; nil for plain text, behind another terminator.
    public internal(set) var tls: TLS?
    /// Whether connections begin with a PROXY header.
    public internal(set) var proxyProtocol: ProxyProtocol
  }

  /// Where a socket listens.
  public enum ListenAddress: Sendable, Hashable {
    /// A TCP address; port 0 lets the kernel choose.
    case tcp(IPAddress, port: UInt16)
    /// A Unix socket at an absolute path of at most 107 bytes.
    case unix(path: String)
    /// A socket that the service manager opened, by the name that it gave it or the number of the descriptor.
    case systemd(name: String)

    /// Whether other machines can connect; of a socket that the service manager opens, only its address will tell.
    public var isPublic: Bool {
      switch self {
      case .tcp(let address, port: _): !address.isLoopback
      case .unix, .systemd: false
      }
    }
  }

  /// An HTTP version; the raw value is its ALPN name (RFC 7301).
  public enum ApplicationProtocol: String, Sendable, CaseIterable {
    /// HTTP/2.
    case http2 = "h2"
    /// HTTP/1.1.
    case http1 = "http/1.1"
  }

  /// How TLS is ended on a listener.
  public struct TLS: Sendable, Equatable {
    /// Certificates to choose from by server name; at least one, and the first serves clients that name none.
    public internal(set) var certificates: [Certificate]
    /// The oldest version accepted.
    public internal(set) var minimumVersion: TLSVersion
    /// PEM file of the authorities whose client certificates are accepted.
    public internal(set) var clientCA: String?
    /// Whether clients show a certificate; anything but `none` comes with a `clientCA`.
    public internal(set) var clientCertificates: ClientCertificates
  }

  /// A certificate chain and its private key, as PEM files.
  public struct Certificate: Sendable, Hashable {
    /// File with the certificate, then its issuers.
    public internal(set) var chain: String
    /// File with the private key.
    public internal(set) var key: String
  }

  /// A version of TLS.
  public enum TLSVersion: String, Sendable, CaseIterable {
    /// TLS 1.2 (RFC 5246).
    case tls12 = "1.2"
    /// TLS 1.3 (RFC 8446).
    case tls13 = "1.3"
  }

  /// Whether clients show a certificate.
  public enum ClientCertificates: String, Sendable, CaseIterable {
    /// They are not asked.
    case none
    /// They may; a wrong one is refused.
    case optional
    /// They must.
    case required
  }

  /// Whether connections from trusted proxies begin with a PROXY header.
  public enum ProxyProtocol: String, Sendable, CaseIterable {
    /// They do not.
    case off
    /// They may.
    case optional
    /// They must.
    case required
  }
}
