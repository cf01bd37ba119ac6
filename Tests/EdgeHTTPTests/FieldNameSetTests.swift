import EdgeHTTP
import Testing

@Suite struct FieldNameSetTests {
  private let names = FieldNameSet(["X-User", "X-Role", "Via", "via"], prefixes: ["X-Edge-"])

  @Test(
    arguments: [
      ("X-User", true), ("x_user", true), ("X.ROLE", true), ("Via", true), ("X-Edge-", true), ("x_edge_any", true),
      ("X-Users", false),
      ("X-Use", false), ("XUser", false), ("X-Edge", false), ("Vib", false), ("", false),
    ])
  func `a name is found in any spelling, by itself or by its beginning`(name: String, isFound: Bool) {
    #expect(names.contains(name) == isFound)
  }

  @Test func `each of many names is found, and no other`() {
    let many = (0..<300).map { "X-\($0)" }
    let set = FieldNameSet(many.shuffled())
    #expect(many.allSatisfy(set.contains))
    #expect(!(300..<999).contains { set.contains("X-\($0)") })
  }

  @Test func `sets of the same names are equal, whatever their order and spelling`() {
    #expect(FieldNameSet(["A-B", "C", "a_b"]) == FieldNameSet(["c", "A.B"]))
    #expect(!FieldNameSet([]).contains(""))
  }
}
