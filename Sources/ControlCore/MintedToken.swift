internal import EdgeCore

/// A new token of the admin plane, and the line that makes it known to the edge.
public struct MintedToken: Sendable {
  /// What its holder sends: 64 hexadecimal digits, 256 bits.
  public let token: String
  /// `role:name:sha256`, for the tokens file.
  public let line: String

  /// Makes a token of random bytes.
  ///
  /// - Parameters:
  ///   - random: 32 bytes that nobody can guess.
  ///   - name: see `isName`.
  public init(random: [UInt8], role: String, name: String, sha256: ([UInt8]) -> [UInt8]) {
    precondition(random.count == 32)
    token = Hexadecimal.text(random)
    line = "\(role):\(name):\(Hexadecimal.text(sha256(Array(token.utf8))))"
  }

  /// Whether the edge takes this as the name of a token: 1 to 64 letters, digits and signs such as `-`, `_` and `.`.
  public static func isName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count) && name.utf8.allSatisfy(ASCII.isTokenCharacter)
  }
}
