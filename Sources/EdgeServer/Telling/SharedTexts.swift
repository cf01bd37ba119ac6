/// Texts that many connections have in common, such as the name of their site: each is stored once.
///
/// Bounded: a table that clients have filled with names of their own begins anew.
struct SharedTexts {
  private var texts: Set<String> = []

  /// The text, in storage that it shares with equal ones.
  mutating func shared(_ text: String) -> String {
    guard Self.sizes.contains(text.utf8.count) else { return text }
    if texts.count == Self.maxTexts { texts = [] }
    return texts.insert(text).memberAfterInsert
  }

  /// The least is what a `String` cannot hold within itself.
  private static let sizes = 16...256
  private static let maxTexts = 256
}
