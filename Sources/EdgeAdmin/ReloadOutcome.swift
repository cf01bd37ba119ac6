public import EdgeCore

/// What came of a reload of the configuration.
public enum ReloadOutcome: Equatable, Sendable {
  /// What the file says is in force, but for what needs a restart.
  case applied([ConfigurationChange])
  /// The file, or something that it names, cannot be used; nothing has changed.
  case refused([ConfigurationFlaw])
}

/// A setting that one configuration has otherwise than another.
public struct ConfigurationChange: Equatable, Sendable {
  /// The key, such as `routes.chat.ping.interval`.
  public var path: String
  /// The old value; nil where the key is new.
  public var old: String?
  /// The new value; nil where the key is gone.
  public var new: String?
  /// When it takes effect: `applied`, `new_connections` or `needs_restart`.
  public var effect: String

  /// Makes a change.
  public init(path: String, old: String?, new: String?, effect: String) {
    self.path = path
    self.old = old
    self.new = new
    self.effect = effect
  }
}

/// Something that is wrong with a configuration.
public struct ConfigurationFlaw: Equatable, Sendable {
  /// The key; empty where it is about the file as a whole, or about what a setting names.
  public var path: String
  /// Where in the file, counted from 1; nil where it is not in the file.
  public var line, column: Int?
  /// What is wrong, and what was expected.
  public var message: String

  /// Makes a flaw.
  public init(path: String = "", line: Int? = nil, column: Int? = nil, message: String) {
    self.path = path
    self.line = line
    self.column = column
    self.message = message
  }
}

/// The configuration in force as it may be shown.
public struct AdminConfiguration: Equatable, Sendable {
  /// What changes with it.
  public var etag: String
  /// Every key with its value.
  public var json: JSON
  /// The same as the file could have it.
  public var yaml: String

  /// Makes a configuration.
  public init(etag: String, json: JSON, yaml: String) {
    self.etag = etag
    self.json = json
    self.yaml = yaml
  }
}
