internal import EdgeCore

/// The members of a request's body, taken out one by one: what is wrong is a problem that names the member.
struct AdminMembers {
  private var members: [JSON.Member]

  /// Takes the body's members; without a body there are none.
  init(_ request: AdminRequest) throws(AdminProblem) {
    guard let members = (try request.json() ?? [:]).members else {
      throw AdminProblem(400, "bad_body", "The body must be a JSON object.")
    }
    self.members = members
  }

  /// Takes a member out and reads it with `parse`, which gives nil for what it does not accept.
  mutating func take<Value>(
    _ name: String, expecting expected: String, _ parse: (JSON) -> Value?
  ) throws(AdminProblem) -> Value? {
    guard let place = members.firstIndex(where: { $0.name == name }) else { return nil }
    let value = members.remove(at: place).value
    guard let parsed = parse(value) else {
      throw AdminProblem(400, "bad_body", "\(name) must be \(expected).").about(name)
    }
    return parsed
  }

  /// Takes a yes or no out.
  mutating func takeFlag(_ name: String) throws(AdminProblem) -> Bool? {
    try take(name, expecting: "true or false", \.boolValue)
  }

  /// Takes a time out: seconds, fractions of them too, at most a day.
  mutating func takeSeconds(_ name: String) throws(AdminProblem) -> Duration? {
    try take(name, expecting: "a number of seconds from 0 to \(maxSeconds)") { value in
      value.numberValue.flatMap { (0...Double(maxSeconds)).contains($0) ? .milliseconds(Int64($0 * 1_000)) : nil }
    }
  }

  /// Refuses members that nobody took.
  func finish() throws(AdminProblem) {
    guard let unknown = members.first else { return }
    throw AdminProblem(400, "bad_body", "There is no member \(quoted(unknown.name)) here.").about(unknown.name)
  }
}

extension Duration {
  /// Seconds, whole ones without a fraction.
  var json: JSON {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return rest == 0 ? .integer(seconds) : .number(inSeconds)
  }
}

private let maxSeconds = 86_400
