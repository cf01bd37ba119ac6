import EdgeCore
import Testing

@Suite struct `IP addresses` {
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1"), ("::ffff:10.1.2.3", "10.1.2.3"), ("::ffff:a01:203", "10.1.2.3"),
    ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
    ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("fe80:0:1:0:1:0:1:0", "fe80:0:1:0:1:0:1:0"),
  ])
  func `text is read and written in canonical form`(text: String, canonical: String) {
    #expect(IPAddress(text)?.description == canonical)
  }

  @Test(arguments: [
    "", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::", "12345::", "::g", "fe80::1%eth0", "[::1]", "1.2.3.4:80", "1:", "::1.2.3", "1.2.3.4::",
  ])
  func `malformed text is refused`(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "9.9.9.9", true),
    ("0.0.0.0/0", "::1", false), ("::/0", "2001:db8::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
    ("2001:db8::/64", "2001:db8::ffff:0:0:1", true), ("2001:db8::1", "2001:db8::1", true), ("10.0.0.1", "10.0.0.2", false),
  ])
  func `a block holds just the addresses with its prefix`(block: String, address: String, holds: Bool) throws {
    let block = try #require(CIDR(block))
    let address = try #require(IPAddress(address))
    #expect(block.contains(address) == holds)
  }

  @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "/8", "::/129", "10.0.0.0/8/8", "10.0.0.0/+8"])
  func `a malformed block is refused`(text: String) {
    #expect(CIDR(text) == nil)
  }
}
