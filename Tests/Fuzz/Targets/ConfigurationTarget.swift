import EdgeConfig
import EdgeCore

/// A configuration in YAML or JSON: the file of an operator, or what the admin API is asked to validate.
func fuzzConfiguration(_ input: [UInt8]) throws(BrokenClaim) {
  let configuration: Configuration
  do throws(ConfigurationErrors) {
    configuration = try load(String(decoding: input, as: UTF8.self))
  } catch {
    return try claimTold(error, of: input)
  }
  let written = configuration.effectiveYAML()
  guard let again = try? load(written) else { throw BrokenClaim(claim: "what is written is valid; seen: \(written)") }
  try claim("what is written means the same", again == configuration, written)
  try claim("what is written is written again the same way", again.effectiveYAML(), equals: written)
  let difference = ConfigurationDiff(from: configuration, to: again)
  try claim("nothing differs from itself", difference.changes.isEmpty, difference.changes.map(\.keyPath).joined(separator: " "))
  let shown = configuration.shownJSON
  try claim("what is shown can be read", try? JSON(parsing: shown.encoded()), equals: shown)
}

/// Every mistake is told with its place, in text that a terminal takes as text.
private func claimTold(_ errors: ConfigurationErrors, of input: [UInt8]) throws(BrokenClaim) {
  try claim("what is refused is told why", !errors.errors.isEmpty)
  try claim("as much is told as a person reads", errors.errors.count <= input.count + maxErrorsOfEmptyFile)
  for error in errors.errors {
    let text = error.description
    let hasControl = text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    try claim("a mistake is one line of text", !hasControl, text)
  }
}

private func load(_ text: String) throws(ConfigurationErrors) -> Configuration {
  // A file's `${NAME}` is a variable's value: of these, for everybody the same.
  try Configuration.load(file: text, fileName: "s.yaml", environment: ["NAME": "value", "LONG": "a: [b, \"c\"]"])
}

/// An empty file lacks everything that must be there.
private let maxErrorsOfEmptyFile = 10
