import EdgeAuth
import EdgeCore
import EdgeTLS
import Testing

@testable import EdgeServer

@Suite struct `Keys as they are read` {
  @Test func `a shared secret has at least 32 bytes, or it is refused`() throws {
    #expect(throws: KeyBundleError.self) { try KeyBundle(secret: [UInt8](repeating: 1, count: 31), algorithms: [.hs256]) }
    #expect(try KeyBundle(secret: [UInt8](repeating: 1, count: 32), algorithms: [.hs256]).keys.count == 1)
    #expect(throws: KeyBundleError.self) { try KeyBundle(secret: [UInt8](repeating: 1, count: 63), algorithms: [.hs512]) }
  }

  @Test func `a key of a set whose point is not on its curve is skipped, and the others serve`() throws {
    let good = try #require(try SigningKey(generating: .es256).publicJWK(id: "good"))
    let off = JSON.object([
      .init(name: "kty", value: "EC"), .init(name: "crv", value: "P-256"), .init(name: "kid", value: "off"),
      .init(name: "x", value: .string(Base64.urlSafe.encode([UInt8](repeating: 1, count: 32)))),
      .init(name: "y", value: .string(Base64.urlSafe.encode([UInt8](repeating: 1, count: 32)))),
    ])
    let bundle = try KeyBundle(keySet: set([off, good, "no key"]), algorithms: [.es256])
    #expect(bundle.described.map(\.id) == ["good"])
    #expect(bundle.keys.count == 1)
    #expect(bundle.skippedCount == 2)
  }

  @Test func `a set without a usable key is a set all the same`() throws {
    #expect(try KeyBundle(keySet: set([]), algorithms: [.es256]).keys.isEmpty)
    let other = try #require(try SigningKey(generating: .es384).publicJWK(id: "other"))
    #expect(try KeyBundle(keySet: set([other]), algorithms: [.es256]).keys.isEmpty)
  }

  @Test func `an error says nothing of what was read`() {
    let secret = "a-secret-that-nobody-may-read"
    #expect(throws: KeySetError.self) { try KeyBundle(keySet: Array(secret.utf8), algorithms: [.es256]) }
    for read in [
      { try KeyBundle(keySet: Array(secret.utf8), algorithms: [.es256]) },
      { try KeyBundle(pem: Array("-----BEGIN PUBLIC KEY-----\n\(secret)\n-----END PUBLIC KEY-----".utf8), algorithms: [.es256]) },
      { try KeyBundle(secret: Array(secret.utf8), algorithms: [.hs256]) },
    ] {
      do { _ = try read() } catch { #expect(!"\(error)".contains("nobody")) }
    }
  }

  private func set(_ keys: [JSON]) -> [UInt8] {
    JSON.object([.init(name: "keys", value: .array(keys))]).encoded()
  }
}
