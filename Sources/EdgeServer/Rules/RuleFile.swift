import EdgeCore
import EdgePolicy

/// What `rules.json` in the state directory says: the rules that the admin plane made, and how far their numbers have come.
///
/// Strict JSON with a rule on each line, so that it can be read, compared and mended by hand.
struct RuleFile {
  /// In the order of their numbers.
  let rules: [Rule]
  /// The number of the rule that is made next.
  let nextNumber: UInt64

  /// The largest file that is read, in bytes: more than `RuleTable.maxRules` rules of the greatest length need.
  static let maxBytes = 512 << 20

  /// Takes what is kept of a table: the configuration's own rules are not, since it says them again at every start.
  init(_ table: RuleTable) {
    rules = table.all.filter(\.id.isMade).sorted { $0.id < $1.id }
    nextNumber = table.nextNumber
  }

  /// Reads a file's content.
  init(parsing content: [UInt8]) throws(RuleFileError) {
    let json: JSON
    do throws(JSONError) {
      json = try JSON(parsing: content, maxDepth: 4)
    } catch {
      throw .json(error)
    }
    guard json["version"] == 1, let next = json["next"]?.integerValue, (1...maxNumber).contains(next),
      let kept = json["rules"]?.arrayValue, json.members?.count == 3
    else { throw .form }
    var rules: [Rule] = []
    rules.reserveCapacity(kept.count)
    for (index, json) in kept.enumerated() {
      do throws(RuleFlaw) {
        let rule = try Rule(json)
        guard rule.id.isMade else { throw RuleFlaw("id", "id must be a name such as r17") }
        rules.append(rule)
      } catch {
        throw .rule(number: index + 1, error)
      }
    }
    self.rules = rules
    nextNumber = UInt64(next)
  }

  /// The file's content.
  var encoded: [UInt8] {
    var content = Array("{\"version\":1,\"next\":\(nextNumber),\"rules\":[".utf8)
    for (index, rule) in rules.enumerated() {
      content.append(contentsOf: (index > 0 ? ",\n" : "\n").utf8)
      rule.json.encode(into: &content)
    }
    content.append(contentsOf: "\n]}\n".utf8)
    return content
  }
}

/// Why a file of rules cannot be read.
enum RuleFileError: Error, CustomStringConvertible {
  /// It is no JSON.
  case json(JSONError)
  /// It is not an object with `version` 1, `next` and `rules` alone.
  case form
  /// One of its rules is wrong.
  case rule(number: Int, RuleFlaw)

  var description: String {
    switch self {
    case .json(let error): "no JSON: \(error)"
    case .form: "expected an object with version 1, next and rules"
    case .rule(let number, let flaw): "rule \(number): \(flaw)"
    }
  }
}

extension RuleID {
  fileprivate var isMade: Bool {
    switch self {
    case .made: true
    case .seed: false
    }
  }
}

private let maxNumber: Int64 = 999_999_999_999_999
