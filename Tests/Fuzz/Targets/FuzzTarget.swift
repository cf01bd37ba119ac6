/// One surface that hostile bytes reach, and what holds there whatever they are.
///
/// libFuzzer calls it with inputs of its own making, the replay test with those in `Tests/Fuzz/Corpora/` and the target's name.
public struct FuzzTarget: Sendable {
  /// What its corpus and its program are called after.
  public let name: String
  /// Checks every claim on one input.
  ///
  /// - Throws: the claim that does not hold. A crash counts as one too.
  public let check: @Sendable (_ input: [UInt8]) throws(BrokenClaim) -> Void

  /// All targets.
  public static let all = [
    FuzzTarget(name: "admin", check: fuzzAdmin),
    FuzzTarget(name: "configuration", check: fuzzConfiguration),
    FuzzTarget(name: "frames", check: fuzzFrames),
    FuzzTarget(name: "http1-request", check: fuzzHTTP1Request),
    FuzzTarget(name: "http1-response", check: fuzzHTTP1Response),
    FuzzTarget(name: "http2", check: fuzzHTTP2),
    FuzzTarget(name: "json", check: fuzzJSON),
    FuzzTarget(name: "keys", check: fuzzKeySet),
    FuzzTarget(name: "origin", check: fuzzOrigin),
    FuzzTarget(name: "proxy", check: fuzzProxyHeader),
    FuzzTarget(name: "relay", check: fuzzRelay),
    FuzzTarget(name: "token", check: fuzzToken),
  ]
}

/// What should hold for every input, and does not for this one.
public struct BrokenClaim: Error, CustomStringConvertible {
  /// The claim, and what was seen instead.
  public let claim: String

  /// The claim.
  public var description: String { claim }
}

/// Holds a target to its claim; `seen` tells what contradicts it.
func claim(_ claim: StaticString, _ holds: Bool, _ seen: @autoclosure () -> String = "") throws(BrokenClaim) {
  guard !holds else { return }
  let seen = seen()
  throw BrokenClaim(claim: seen.isEmpty ? "\(claim)" : "\(claim); seen: \(seen)")
}

/// Two ways that must lead to the same.
func claim<Value: Equatable>(_ text: StaticString, _ value: Value, equals other: Value) throws(BrokenClaim) {
  try claim(text, value == other, "\(value)\n and \(other)")
}
