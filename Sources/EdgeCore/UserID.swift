/// A user, everywhere: the name of the `auth` block that vouches, and the subject it vouches for.
///
/// Two subjects are the same only byte by byte, although Unicode calls more texts equivalent: an identity provider may well
/// hand out both.
public struct UserID: Hashable, Sendable {
  /// The name of the `auth` block.
  public let auth: String
  /// The subject of the verified token.
  public let subject: String

  /// Makes a user's identity.
  public init(auth: String, subject: String) {
    self.auth = auth
    self.subject = subject
  }

  /// Whether both are the same, byte by byte.
  public static func == (lhs: UserID, rhs: UserID) -> Bool {
    isSame(lhs.subject.utf8.span, rhs.subject.utf8.span) && isSame(lhs.auth.utf8.span, rhs.auth.utf8.span)
  }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    unsafe auth.utf8.span.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    hasher.combine(0xff as UInt8)
    unsafe subject.utf8.span.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}

private func isSame(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  for index in left.indices where left[index] != right[index] { return false }
  return true
}
