import EdgeIO
import FuzzTargets
import Testing

@Suite struct `Inputs that fuzzing kept` {
  @Test(arguments: FuzzTarget.all)
  func `break no claim`(_ target: FuzzTarget) throws {
    let files = FileSystem.glob("\(corpora)/\(target.name)/*")
    #expect(!files.isEmpty, "a target begins with seeds")
    for file in files {
      let input = try FileSystem.readFile(file.path, maxBytes: maxInputBytes)
      #expect(throws: Never.self, "\(file.path)") { try target.check(input) }
    }
  }

  @Test func `belong to a target each`() {
    let directories = FileSystem.glob("\(corpora)/*").compactMap { $0.path.split(separator: "/").last }
    #expect(Set(directories.map(String.init)) == Set(FuzzTarget.all.map(\.name)))
  }
}

private let corpora = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/Corpora"
private let maxInputBytes = 1 << 16
