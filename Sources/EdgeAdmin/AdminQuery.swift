internal import EdgeCore

/// The parameters of a query string, decoded strictly: each once, no broken escapes, valid UTF-8.
struct AdminQuery {
  private var parameters: [(name: String, value: String)] = []

  init(_ text: Substring) throws(AdminProblem) {
    for part in text.utf8.split(separator: UInt8(ascii: "&")) {
      let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = pair.first.flatMap({ decoded($0) }), let value = decoded(pair.count == 2 ? pair[1] : "".utf8[...]) else {
        throw AdminProblem(400, "bad_query", "The query has an escape that is no %XX, or bytes that are not UTF-8.")
      }
      guard !parameters.contains(where: { $0.name == name }) else {
        throw AdminProblem(400, "bad_query", "The query parameter \(quoted(name)) is given twice.")
      }
      parameters.append((name, value))
    }
  }

  /// Takes a parameter out; nil if it is not there.
  mutating func take(_ name: String) -> String? {
    parameters.firstIndex { $0.name == name }.map { parameters.remove(at: $0).value }
  }

  /// Takes a parameter out and reads it with `parse`, which gives nil for what it does not accept.
  mutating func take<Value>(
    _ name: String, expecting expected: String, _ parse: (String) -> Value?
  ) throws(AdminProblem) -> Value? {
    guard let text = take(name) else { return nil }
    guard let value = parse(text) else {
      throw AdminProblem(400, "bad_query", "The query parameter \(name) must be \(expected), not \(quoted(text)).")
    }
    return value
  }

  /// Takes the parameter `limit` out: how many entries a page may have.
  mutating func takeLimit(upTo maxLimit: Int) throws(AdminProblem) -> Int? {
    try take("limit", expecting: "a number from 1 to \(maxLimit)") { text in
      text.utf8.allSatisfy(ASCII.isDigit) ? Int(text).flatMap { (1...maxLimit).contains($0) ? $0 : nil } : nil
    }
  }

  /// Refuses parameters that nobody took.
  func finish() throws(AdminProblem) {
    guard let unknown = parameters.first else { return }
    throw AdminProblem(400, "bad_query", "There is no query parameter \(quoted(unknown.name)) here.")
  }
}

extension ConnectionQuery {
  /// Reads the parameters of `GET /api/v1/connections`.
  init(_ query: Substring) throws(AdminProblem) {
    self.init()
    var parameters = try AdminQuery(query)
    limit = try parameters.takeLimit(upTo: Self.maxLimit) ?? limit
    sort = try parameters.take("sort", expecting: words(Sort.self)) { Sort(rawValue: $0) } ?? sort
    isDescending = try parameters.take("order", expecting: "asc or desc") { ["asc": false, "desc": true][$0] } ?? isDescending
    state = try parameters.take("state", expecting: words(StateFilter.self)) { StateFilter(rawValue: $0) } ?? state
    filter = try ConnectionFilter(taking: &parameters)
    let (sort, isDescending) = (sort, isDescending)
    cursor = try parameters.take("cursor", expecting: "the next_cursor of a page with the same sort and order") {
      Cursor($0, sort: sort, isDescending: isDescending)
    }
    try parameters.finish()
  }
}

extension ConnectionFilter {
  /// Takes the parameters out that say which connections are meant.
  init(taking parameters: inout AdminQuery) throws(AdminProblem) {
    self.init()
    addresses = try parameters.take("ip", expecting: "an address or a CIDR block") { CIDR($0) }
    user = parameters.take("user")
    route = parameters.take("route")
    worker = parameters.take("worker")
    origin = parameters.take("origin")
    isThrottled = try parameters.take("throttled", expecting: "true or false") { ["true": true, "false": false][$0] }
    idleLongerThan = try parameters.take("idle_gt", expecting: durationForm) { duration($0) }
    olderThan = try parameters.take("age_gt", expecting: durationForm) { duration($0) }
  }
}

/// A duration as settings write it, or a whole number of seconds.
func duration(_ text: String) -> Duration? {
  Quantity.duration(text) ?? Quantity.duration(text + "s")
}

/// What `duration` reads.
let durationForm = "a duration such as 30s or 5m, or a whole number of seconds"

private func words<Words: CaseIterable & RawRepresentable<String>>(_ type: Words.Type) -> String {
  "one of " + type.allCases.map(\.rawValue).joined(separator: ", ")
}

/// Text of the client's in an answer, cut short.
func quoted(_ text: String) -> String {
  text.unicodeScalars.count <= 64 ? "'\(text)'" : "'\(String(text.unicodeScalars.prefix(64)))…'"
}

/// Text as forms write it: `+` is a space, and escapes are UTF-8.
private func decoded(_ text: Substring.UTF8View) -> String? {
  let spaced = text.lazy.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
  return PercentEncoding.decode(spaced).flatMap { String(validating: $0, as: UTF8.self) }
}
