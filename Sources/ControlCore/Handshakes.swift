internal import EdgeCore

/// What became of handshakes: the member `handshakes` of `/status` and `/routes`.
struct Handshakes {
  /// How many were accepted.
  let accepted: Int64
  /// How many were refused, by the word for the reason, the most frequent first.
  let refusals: [(word: String, count: Int64)]

  /// Nil where there is no such member.
  init?(_ json: JSON?) {
    guard let members = json?.members else { return nil }
    let counts = members.map { (word: $0.name, count: $0.value.integerValue ?? 0) }
    accepted = counts.first { $0.word == "accepted" }?.count ?? 0
    refusals = counts.filter { $0.word != "accepted" && $0.count > 0 }.sorted { ($1.count, $0.word) < ($0.count, $1.word) }
  }

  /// How many were refused, whatever the reason.
  var refused: Int64 { refusals.reduce(0) { $0 + $1.count } }
}
