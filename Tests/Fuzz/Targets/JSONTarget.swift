import EdgeCore

/// Strict JSON (RFC 8259), as tokens, key sets and admin requests have it.
func fuzzJSON(_ input: [UInt8]) throws(BrokenClaim) {
  let maxDepth = 8
  let json: JSON
  do throws(JSONError) {
    json = try JSON(parsing: input, maxDepth: maxDepth)
  } catch {
    return try claim("a mistake lies within the text", (0...input.count).contains(error.offset))
  }
  try claim("only UTF-8 is JSON", String(validating: input, as: UTF8.self) != nil)
  let encoded = json.encoded()
  try claim("what is written is read again, as the same", try? JSON(parsing: encoded, maxDepth: maxDepth), equals: json)
  try claim("what is written stands on one line", !encoded.contains { $0 < 0x20 })
  try claimStrict(json, depth: 1, maxDepth: maxDepth)
}

private func claimStrict(_ json: JSON, depth: Int, maxDepth: Int) throws(BrokenClaim) {
  switch json {
  case .null, .bool, .integer, .string: break
  case .number(let number): try claim("numbers are finite", number.isFinite)
  case .array(let values):
    try claim("nesting is bounded", depth <= maxDepth)
    for value in values { try claimStrict(value, depth: depth + 1, maxDepth: maxDepth) }
  case .object(let members):
    try claim("nesting is bounded", depth <= maxDepth)
    try claim("no name occurs twice", Set(members.map { Array($0.name.utf8) }).count == members.count)
    for member in members { try claimStrict(member.value, depth: depth + 1, maxDepth: maxDepth) }
  }
}
