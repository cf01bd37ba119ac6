internal import EdgeCore

extension AdminRequest {
  /// The body as JSON; nil where there is none.
  func json() throws(AdminProblem) -> JSON? {
    guard !body.isEmpty else { return nil }
    try checkIsJSON()
    do throws(JSONError) {
      return try JSON(parsing: body, maxDepth: 4)
    } catch {
      throw AdminProblem(400, "bad_json", "The body is no JSON: \(error).")
    }
  }

  /// Refuses a request that does not say its body is JSON.
  func checkIsJSON() throws(AdminProblem) {
    let types = values(of: "Content-Type")
    guard types.count == 1, let type = types.first?.prefix(while: { $0 != ";" }), isJSON(type) else {
      throw AdminProblem(415, "not_json", "Send Content-Type: application/json.")
    }
  }
}

private func isJSON(_ type: Substring) -> Bool {
  let trimmed = type.last == " " ? type.dropLast() : type
  return ASCII.equalIgnoringCase(trimmed, "application/json")
}
