/// What someone may have meant: `did you mean "chat"?`, or else all choices when there are not too many.
func suggestion(for word: String, among choices: some Collection<String>) -> String {
  guard choices.count <= maxChoices else { return "expected one of \(choices.count) names" }
  let near = choices.map { (choice: $0, distance: editDistance(word.lowercased(), $0.lowercased())) }
    .filter { $0.distance <= max(1, min(word.utf8.count, $0.choice.utf8.count) / 3) }
    .min { ($0.distance, $0.choice) < ($1.distance, $1.choice) }
  if let near { return "did you mean \"\(near.choice)\"?" }
  guard !choices.isEmpty else { return "" }
  return "expected " + (choices.count == 1 ? "" : "one of ")
    + choices.sorted().map { "\"\(abridged($0))\"" }.joined(separator: ", ")
}

/// How many letters must be added, removed, replaced or swapped with their neighbour to turn one text into the other.
///
/// Texts longer than 64 bytes are as far apart as can be.
func editDistance(_ lhs: String, _ rhs: String) -> Int {
  let lhs = Array(lhs.utf8)
  let rhs = Array(rhs.utf8)
  guard lhs.count <= maxComparedBytes, rhs.count <= maxComparedBytes else { return .max }
  var beforePrevious: [Int] = []
  var previous = Array(0...rhs.count)
  for row in lhs.indices {
    var current = [row + 1]
    for column in rhs.indices {
      var best = min(previous[column + 1] + 1, current[column] + 1, previous[column] + (lhs[row] == rhs[column] ? 0 : 1))
      if row > 0, column > 0, lhs[row] == rhs[column - 1], lhs[row - 1] == rhs[column] {
        best = min(best, beforePrevious[column - 1] + 1)
      }
      current.append(best)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[rhs.count]
}

private let maxChoices = 100
private let maxComparedBytes = 64
