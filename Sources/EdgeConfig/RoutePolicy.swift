extension Configuration {
  /// The web pages that may connect (RFC 6454).
  public enum Origins: Sendable, Equatable {
    /// All of them.
    case any
    /// Those that one of the patterns takes; never empty.
    case list([OriginPattern])
  }

  /// A pattern for the origin of a web page, in lower case.
  public enum OriginPattern: Sendable, Hashable {
    /// The origin that the request itself went to.
    case sameOrigin
    /// Just this origin. The port is nil only where neither the text nor the scheme names one.
    case exact(scheme: String, host: String, port: UInt16?)
    /// Every host that ends in a dot and this suffix: `https://*.example.com`. The suffix itself is not taken.
    case subdomains(scheme: String, suffix: String, port: UInt16?)
  }

  /// What becomes of an upgrade whose origin is missing or `null`.
  public enum OriginDecision: String, Sendable, CaseIterable {
    /// It is refused.
    case refuse
    /// It goes on.
    case allow
  }

  /// What is changed in the request that a worker gets.
  public struct Headers: Sendable, Equatable {
    /// Whether the token is taken out once it was checked.
    public internal(set) var stripToken: Bool
    /// Fields that the edge alone sets, in the order of the file; a client's fields of these names are dropped.
    public internal(set) var set: [HeaderRule]
  }

  /// A field that the edge sets.
  public struct HeaderRule: Sendable, Equatable {
    /// The field's name as it was written.
    public internal(set) var name: String
    /// What its value is made of.
    public internal(set) var value: HeaderTemplate
  }

  /// A field value with places for claims: `user {claim.sub}`.
  public struct HeaderTemplate: Sendable, Equatable {
    /// The pieces in order; literals hold visible ASCII and spaces only.
    public internal(set) var parts: [Part]

    /// A piece of a template.
    public enum Part: Sendable, Equatable {
      /// Text that stands for itself.
      case literal(String)
      /// The claim of this name of the verified token.
      case claim(name: String)
    }
  }

  /// The codes of Close frames that the edge itself decides on. Those that RFC 6455 demands (1002, 1003, 1007, 1009) are fixed.
  public struct CloseCodes: Sendable, Equatable {
    /// No message for `Route.idleTimeout`; 1001.
    public internal(set) var idle: UInt16
    /// A policy was broken; 1008.
    public internal(set) var policy: UInt16
    /// The edge failed; 1011.
    public internal(set) var edgeFault: UInt16
    /// The edge drains, or the worker moved; 1012.
    public internal(set) var drain: UInt16
    /// No progress, or too much load; 1013.
    public internal(set) var overload: UInt16
    /// The worker died or broke the protocol; 1014.
    public internal(set) var workerLost: UInt16
    /// The token is missing, invalid or expired; 4401.
    public internal(set) var auth: UInt16
    /// Kicked or banned; 4403.
    public internal(set) var banned: UInt16
    /// No pong, or no first message; 4408.
    public internal(set) var timeout: UInt16
    /// The user connected anew; 4409.
    public internal(set) var replaced: UInt16
    /// A rate or connection limit; 4429.
    public internal(set) var rate: UInt16
  }
}
