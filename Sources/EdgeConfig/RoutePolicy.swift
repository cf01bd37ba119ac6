public import EdgeAuth

extension Configuration {
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
