internal import EdgeCore

/// Something that is wrong with a configuration.
public struct ConfigurationFlaw: Equatable, Sendable {
  /// The line and the column, counted from 1, where it is in the file.
  var place: [String] = []
  /// The setting, such as `limits.per_ip.connections`; empty where it is about none.
  var setting = ""
  var message: String

  /// Something that is wrong with the file as a whole.
  public init(message: String) {
    self.message = message
  }

  init(_ json: JSON) {
    place = ["line", "column"].compactMap { json[$0]?.integerValue.map { String($0) } }
    setting = json["path"]?.stringValue ?? ""
    message = json["message"]?.stringValue ?? "wrong"
  }

  /// `sluice.yaml:3:7: limits.per_ip: message`, as compilers write it and editors read it.
  func line(in file: String?) -> String {
    let position = ([file ?? ""] + place).filter { !$0.isEmpty }.joined(separator: ":")
    let subject = setting.isEmpty || message.contains(setting) ? "" : setting
    return TerminalText.safe([position, subject, message].filter { !$0.isEmpty }.joined(separator: ": "), maxWidth: 2_000)
  }
}
