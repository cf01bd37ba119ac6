internal import EdgeCore

/// What someone may do on the admin plane; each role may do what the ones below it may.
public enum AdminRole: String, Comparable, CaseIterable, Sendable {
  /// May look.
  case viewer
  /// May close connections and drain workers.
  case `operator`
  /// May do everything.
  case admin

  /// Orders by power.
  public static func < (lhs: AdminRole, rhs: AdminRole) -> Bool {
    lhs.rank < rhs.rank
  }

  private var rank: Int {
    switch self {
    case .viewer: 0
    case .operator: 1
    case .admin: 2
    }
  }
}

/// Who asked, as far as the admin plane could tell.
public struct AdminIdentity: Equatable, Sendable {
  /// The token's name, or `uid:0` for a peer on the Unix socket.
  public var name: String
  /// What they may do.
  public var role: AdminRole

  /// Makes an identity.
  public init(name: String, role: AdminRole) {
    self.name = name
    self.role = role
  }
}

/// The bearer tokens of a tokens file: a line `role:name:sha256` for each, `sha256` being the token's hash in 64
/// hexadecimal digits.
///
/// Empty lines and lines that begin with `#` say nothing. The file holds no token, so reading it gives nobody access.
public struct AdminTokens: Equatable, Sendable {
  struct Entry: Equatable, Sendable {
    let identity: AdminIdentity
    let hash: [UInt8]
  }

  let entries: [Entry]

  /// How many there are.
  public var count: Int { entries.count }

  /// Reads a tokens file.
  ///
  /// - Parameter text: the whole file, UTF-8; at most `maxTokens` tokens.
  /// - Throws: `AdminTokensError` for the first line that is wrong.
  public init(parsing text: [UInt8]) throws(AdminTokensError) {
    var entries: [Entry] = []
    for (index, bytes) in text.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      let line = bytes.last == 0x0d ? bytes.dropLast() : bytes
      guard !line.isEmpty, line.first != UInt8(ascii: "#") else { continue }
      let entry = try AdminTokens.entry(line, number: index + 1)
      guard !entries.contains(where: { $0.identity.name == entry.identity.name }) else {
        throw AdminTokensError(line: index + 1, problem: "the name \(entry.identity.name) is used twice")
      }
      guard entries.count < AdminTokens.maxTokens else {
        throw AdminTokensError(line: index + 1, problem: "more than \(AdminTokens.maxTokens) tokens")
      }
      entries.append(entry)
    }
    self.entries = entries
  }

  private static func entry(_ line: ArraySlice<UInt8>, number: Int) throws(AdminTokensError) -> Entry {
    let parts = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw AdminTokensError(line: number, problem: "expected role:name:sha256") }
    guard let role = AdminRole(rawValue: String(decoding: parts[0], as: UTF8.self)) else {
      throw AdminTokensError(line: number, problem: "expected the role viewer, operator or admin")
    }
    guard (1...64).contains(parts[1].count), parts[1].allSatisfy(ASCII.isTokenCharacter) else {
      throw AdminTokensError(line: number, problem: "expected a name of 1 to 64 letters, digits and signs such as - _ .")
    }
    guard parts[2].count == 64, let hash = Hexadecimal.bytes(parts[2]) else {
      throw AdminTokensError(line: number, problem: "expected the token's SHA-256 in 64 hexadecimal digits")
    }
    return Entry(identity: AdminIdentity(name: String(decoding: parts[1], as: UTF8.self), role: role), hash: hash)
  }

  /// The most tokens a file may hold; each is compared at every request.
  public static let maxTokens = 256
}

/// Why a tokens file was refused. Says nothing of what the line held, since it may be a token put there by mistake.
public struct AdminTokensError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The line, counted from 1.
  public let line: Int
  /// What is wrong, and what was expected.
  public let problem: String

  /// `line 3: expected role:name:sha256`.
  public var description: String { "line \(line): \(problem)" }
}
