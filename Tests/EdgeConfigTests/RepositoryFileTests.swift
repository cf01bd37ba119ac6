import Testing

@testable import EdgeConfig

@Suite struct `Files that operators read` {
  @Test(arguments: ["conf/sluice.example.yaml", "conf/demo.yaml"])
  func `the samples are valid`(file: String) throws {
    #expect(errors(in: try repositoryFile(file)) == [])
  }

  @Test func `what the production sample states as default is the default`() throws {
    let sample = try load(try repositoryFile("conf/sluice.example.yaml"))
    let plain = try load(minimal)
    #expect(sample.timeouts == plain.timeouts)
    #expect(sample.limits == plain.limits)
    #expect(sample.drain == plain.drain)
    #expect(sample.log == plain.log)
    #expect(sample.routes[0].ping == plain.routes[0].ping)
    #expect(sample.routes[0].maxSendQueue == plain.routes[0].maxSendQueue)
  }

  @Test func `the reference has a row for every key, and none for a key that is not there`() throws {
    let known = Set(try knownKeys().map(inReference))
    let sections: Set = ["LIMIT"]
    let rows = Set(try referenceRows().keys)
    // A section whose keys are documented one by one needs no row of its own.
    let missing = known.subtracting(rows).filter { key in !rows.contains { $0.hasPrefix("\(key).") } }
    #expect(missing.sorted() == [])
    #expect(rows.subtracting(known).subtracting(sections).sorted() == [])
  }

  @Test func `the reference says of every key what a reload does`() throws {
    let words: [ReloadEffect: String] = [.applied: "yes", .newConnections: "new", .needsRestart: "restart"]
    for (key, row) in try referenceRows() where key != "LIMIT" && !key.hasPrefix("LIMIT.") {
      let cells = row.replacing("\\|", with: "").split(separator: "|").map { $0.trimmingPrefix(" ") }
      let effect = try #require(ReloadEffect(ofKey: key), "\(key)")
      #expect(cells[3].hasPrefix("\(words[effect] ?? "?") "), "\(key)")
    }
  }

  @Test func `the reference marks what this release does not act on`() throws {
    let rows = try referenceRows()
    for entry in NotYetSupported.thisRelease {
      let key = (entry.path.last == "*" ? entry.path.dropLast() : entry.path[...]).joined(separator: ".")
      let row = rows.first { $0.key.replacing("[]", with: ".*").replacing(".NAME", with: ".*") == key }
      #expect(row?.value.lowercased().contains("*not yet") == true, "\(key)")
    }
  }

  /// The keys of a limit stand in a table of their own.
  private func inReference(_ key: String) -> String {
    for name in ["messages", "bytes"] {
      if let range = key.firstRange(of: ".\(name)."), !key.hasPrefix("rules") { return "LIMIT." + key[range.upperBound...] }
    }
    return key
  }

  private func referenceRows() throws -> [String: String] {
    var rows: [String: String] = [:]
    for line in try repositoryFile("docs/configuration.md").split(separator: "\n") where line.hasPrefix("| `") {
      let key = line.dropFirst(3).prefix { $0 != "`" }
      #expect(rows.updateValue(String(line), forKey: String(key)) == nil, "\(key)")
    }
    return rows
  }
}
