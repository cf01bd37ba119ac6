import Testing

@testable import ControlCore

@Suite struct `A new token` {
  @Test func `is known to the edge by its hash alone`() {
    let minted = MintedToken(
      random: [UInt8](repeating: 0xab, count: 32), role: "operator", name: "ops", sha256: { [UInt8($0.count), 0xff] })
    #expect(minted.token == String(repeating: "ab", count: 32))
    #expect(minted.line == "operator:ops:40ff")
  }

  @Test(arguments: [
    ("ops", true), ("a.b-c_d", true), ("", false), ("a:b", false), ("a b", false), ("ü", false),
    (String(repeating: "x", count: 65), false),
  ])
  func `has a name that fits the file`(name: String, isName: Bool) {
    #expect(MintedToken.isName(name) == isName)
  }
}
