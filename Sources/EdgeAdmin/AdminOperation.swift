internal import EdgeCore

/// One thing that the admin plane does: a row of `AdminAPI.operations`.
struct AdminOperation: Sendable {
  /// The methods of the API. `HEAD` is answered wherever `GET` is.
  enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
  }

  /// Who may.
  enum Access: Equatable, Sendable {
    /// Anybody, on every listener and under any `Host`: probes and metrics.
    case probe
    /// Anybody who reaches the admin plane.
    case open
    /// Whoever has this role, or a higher one.
    case role(AdminRole)
  }

  /// Does it, and answers.
  typealias Answer = @Sendable (inout AdminCall) throws(AdminProblem) -> AdminResponse

  let method: Method
  let path: AdminPath
  let access: Access
  /// What the audit log calls it; nil for what changes nothing.
  let action: String?
  /// Whether it reads the query; where it does not, a query is an error.
  let takesQuery: Bool
  let answer: Answer

  private init(_ method: Method, _ path: AdminPath, _ access: Access, action: String?, takesQuery: Bool, answer: @escaping Answer)
  {
    self.method = method
    self.path = path
    self.access = access
    self.action = action
    self.takesQuery = takesQuery
    self.answer = answer
  }

  /// Something to look at.
  static func read(_ path: AdminPath, by access: Access, takesQuery: Bool = false, _ answer: @escaping Answer) -> AdminOperation {
    AdminOperation(.get, path, access, action: nil, takesQuery: takesQuery, answer: answer)
  }

  /// A change. Whatever comes of it leaves an audit record that bears `action`.
  static func write(
    _ method: Method, _ path: AdminPath, by role: AdminRole, action: String, _ answer: @escaping Answer
  ) -> AdminOperation {
    precondition(method != .get)
    return AdminOperation(method, path, .role(role), action: action, takesQuery: false, answer: answer)
  }
}

/// The path of an operation, such as `/api/v1/connections/{id}`: a segment in braces stands for any that is not empty.
struct AdminPath: Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  let description: String
  private let segments: [Substring]

  /// Its last segment.
  var lastWord: String { segments.last.map { String($0) } ?? "" }

  init(stringLiteral text: String) {
    description = text
    segments = Self.segments(of: text[...])
  }

  /// The segments that stand in the place of those in braces, percent-decoded once; nil if `path` is another one.
  ///
  /// What is not in braces must be there byte by byte: no other spelling of a path is the same path.
  func parameters(of path: Substring) -> [String]? {
    let given = Self.segments(of: path)
    guard given.count == segments.count else { return nil }
    var parameters: [String] = []
    for (segment, given) in zip(segments, given) {
      if segment.hasPrefix("{") {
        guard !given.isEmpty, let text = decoded(given) else { return nil }
        parameters.append(text)
      } else if !segment.utf8.elementsEqual(given.utf8) {
        return nil
      }
    }
    return parameters
  }

  private static func segments(of path: Substring) -> [Substring] {
    path.split(separator: "/", omittingEmptySubsequences: false)
  }
}

private func decoded(_ segment: Substring) -> String? {
  PercentEncoding.decode(segment.utf8).flatMap { String(validating: $0, as: UTF8.self) }
}
