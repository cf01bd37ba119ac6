import EdgeCore
import Testing

@testable import sluice_bench

@Suite struct TargetTests {
  @Test(arguments: [("127.0.0.1:8443", "127.0.0.1", 8443), ("127.9.8.7:1", "127.9.8.7", 1), ("[::1]:443", "::1", 443)])
  func `a port of the loopback is a target`(argument: String, address: String, port: UInt16) {
    let endpoint = LoopbackEndpoint(argument: argument)
    #expect(endpoint?.address == IPAddress(address))
    #expect(endpoint?.port == port)
  }

  @Test(arguments: [
    "10.0.0.1:443", "192.168.1.1:80", "[2001:db8::1]:443", "0.0.0.0:443", "127.0.0.1", "127.0.0.1:0", "localhost:443", ":1", "",
  ])
  func `anything else is nobody's to load`(argument: String) {
    #expect(LoopbackEndpoint(argument: argument) == nil)
  }
}
