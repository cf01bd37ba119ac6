import EdgeCore
import Testing

@testable import EdgeAdmin

@Suite struct `The paths of operations` {
  @Test(
    arguments: [
      ("/a", "/a", []), ("/a", "/a/", nil), ("/a", "/%61", nil), ("/a", "", nil), ("/a", "/A", nil), ("/a/{x}", "/a", nil),
      ("/a/{x}", "/a/", nil), ("/a/{x}", "/a/b", ["b"]), ("/a/{x}", "/a/b/c", nil), ("/a/{x}", "/a/b%2Fc%2f", ["b/c/"]),
      ("/a/{x}", "/a/%25", ["%"]), ("/a/{x}", "/a/%2525", ["%25"]), ("/a/{x}", "/a/%", nil), ("/a/{x}", "/a/%ff", nil),
      ("/a/{x}/b/{y}", "/a/1/b/2", ["1", "2"]), ("/a/{x}/b", "/a//b", nil), ("/a", "*", nil),
    ] as [(String, String, [String]?)])
  func `take what stands for a segment in braces, decoded once`(pattern: String, path: String, parameters: [String]?) {
    #expect(AdminPath(stringLiteral: pattern).parameters(of: path[...]) == parameters)
  }

  @Test func `are different wherever their methods are the same`() {
    var seen: Set<String> = []
    for operation in AdminAPI.operations {
      #expect(seen.insert("\(operation.method.rawValue) \(operation.path)").inserted)
    }
  }

  @Test func `need a role for every change, and bear an action`() {
    for operation in AdminAPI.operations {
      #expect((operation.method == .get) == (operation.action == nil))
      if case .role = operation.access { continue }
      #expect(operation.method == .get)
    }
  }
}

@Suite struct `The form of a change` {
  @Test(
    arguments: AdminAPI.operations.filter { [.post, .put, .patch].contains($0.method) }.map {
      ($0.method.rawValue, $0.path.description)
    })
  func `is JSON, even with an empty body`(method: String, path: String) {
    let target = path.replacing("{", with: "").replacing("}", with: "")
    for type in [nil, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
      let fields = type.map { [(name: "Content-Type", value: $0)] } ?? []
      let request = AdminRequest(method: method, target: target, fields: fields)
      #expect(ask(FakeBackend(), request, from: .unix(userID: 0)).status == 415)
    }
  }
}

@Suite struct `The description of the API` {
  @Test func `has an entry for each operation, with its role, and no other`() throws {
    let document = try JSON(parsing: APIDocument.bytes, maxDepth: 64)
    var described: Set<String> = []
    for path in try #require(document["paths"]?.members) {
      for operation in try #require(path.value.members) where operation.name != "parameters" {
        let role = try #require(operation.value["x-role"]?.stringValue)
        described.insert("\(operation.name.uppercased()) \(path.name) \(role)")
      }
    }
    let rows = AdminAPI.operations.compactMap { operation -> String? in
      switch operation.access {
      case .probe: "\(operation.method.rawValue) \(operation.path) public"
      case .open: nil
      case .role(let role): "\(operation.method.rawValue) \(operation.path) \(role.rawValue)"
      }
    }
    #expect(described.sorted() == rows.sorted())
  }
}
