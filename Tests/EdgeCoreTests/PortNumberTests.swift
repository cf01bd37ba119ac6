import EdgeCore
import Testing

@Suite struct PortNumberTests {
  @Test(arguments: ["1": 1, "80": 80, "00443": 443, "65535": 65_535])
  func `digits are read`(text: String, port: UInt16) {
    #expect(PortNumber.parse(text.utf8.span) == port)
  }

  @Test(arguments: ["", "0", "000", "65536", "99999999999999999999999", "+1", "-1", " 1", "1 ", "8o", "\u{661}"])
  func `anything else is no port`(text: String) {
    #expect(PortNumber.parse(text.utf8.span) == nil)
  }
}
