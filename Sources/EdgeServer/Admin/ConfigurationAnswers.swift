import EdgeAdmin
import EdgeConfig

extension ConfigurationChange {
  init(_ change: ConfigurationDiff.Change) {
    self.init(path: change.keyPath, old: change.before, new: change.after, effect: change.effect.rawValue)
  }
}

extension ConfigurationFlaw {
  init(_ error: ConfigurationError) {
    let message = error.expected.isEmpty ? error.problem : "\(error.problem); \(error.expected)"
    switch error.origin {
    case .file(name: _, let line, let column):
      self.init(path: error.keyPath, line: line, column: column, message: message)
    case .setting(let name): self.init(path: error.keyPath, message: "\(name): \(message)")
    case .none: self.init(path: error.keyPath, message: message)
    }
  }

  /// `file:line:column: key: `, as far as it is known.
  func place(in file: String) -> String {
    let place = if let line, let column { "\(file):\(line):\(column): " } else { "" }
    return path.isEmpty ? place : "\(place)\(path): "
  }
}
