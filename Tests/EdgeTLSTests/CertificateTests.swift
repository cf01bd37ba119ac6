import COpenSSL
import EdgeCore
import Foundation
import Testing

@testable import EdgeTLS

struct CertificateTests {
  private func context(_ sources: CertificateSource..., now: WallTime? = Fixture.now) throws(CertificateError) -> TLSServerContext
  {
    try TLSServerContext(certificates: sources, ticketKeys: Fixture.ring(), now: now)
  }

  private func problem(_ source: CertificateSource, now: WallTime? = Fixture.now) -> CertificateError.Problem? {
    do throws(CertificateError) {
      _ = try context(source, now: now)
      return nil
    } catch {
      return error.problem
    }
  }

  private func pem(_ identity: PEMIdentity, key: [UInt8]? = nil) -> CertificateSource {
    .pem(name: "test", chain: identity.chain, key: key ?? identity.key)
  }

  @Test func `files are read, and their names stand in the summary`() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let (chain, key) = (directory.appendingPathComponent("chain.pem"), directory.appendingPathComponent("key.pem"))
    try Data(Fixture.identity.chain).write(to: chain)
    try Data(Fixture.identity.key).write(to: key)
    let summary = try #require(context(.files(chain: chain.path, key: key.path)).certificates.first)
    #expect(summary.name == chain.path)
    #expect(summary.dnsNames == ["localhost"])
    #expect(summary.notAfter == WallTime(seconds: 3_000_000_000))

    #expect(problem(.files(chain: chain.path, key: directory.path + "/none")) == .unreadable("No such file or directory"))
    try Data(count: CertificateSource.maxFileBytes + 1).write(to: key)
    #expect(problem(.files(chain: chain.path, key: key.path)) == .tooLarge)
    #expect(throws: CertificateError.self) { try context(.files(chain: directory.path, key: key.path)) }
  }

  @Test func `an error names the file and what was expected`() throws {
    let error = #expect(throws: CertificateError.self) { try context(.files(chain: "/none/chain.pem", key: "/none/key.pem")) }
    #expect(error?.description == "/none/chain.pem: cannot be read (No such file or directory); expected a readable PEM file")
  }

  @Test func `the key must be that of the certificate`() throws {
    let other = try KeyHandle(generating: .ec(curve: "P-256")).privatePEM()
    #expect(problem(pem(Fixture.identity, key: other)) == .keyMismatch(chain: "test"))
    #expect(problem(pem(Fixture.identity, key: try Fixture.rsaKey.privatePEM())) == .keyMismatch(chain: "test"))
  }

  @Test func `dates are checked where a time is given`() {
    let old = Fixture.identity(["localhost"], from: 0, to: Fixture.now.seconds - 1)
    #expect(problem(pem(old)) == .expired(at: WallTime(seconds: Fixture.now.seconds - 1)))
    #expect(problem(pem(old), now: nil) == nil)
    let error = CertificateError(source: "a.pem", problem: .expired(at: WallTime(seconds: 1_793_534_400)))
    #expect(error.description == "a.pem: expired on Nov  1 12:00:00 2026 GMT; expected a certificate that is valid now")
    let early = Fixture.identity(["localhost"], from: Fixture.now.seconds + 1)
    #expect(problem(pem(early)) == .notYetValid(until: WallTime(seconds: Fixture.now.seconds + 1)))
  }

  @Test func `text that is no certificate or no key is refused`() {
    let identity = Fixture.identity
    #expect(problem(.pem(name: "test", chain: [], key: identity.key)) == .noCertificate("none found"))
    #expect(problem(.pem(name: "test", chain: identity.key, key: identity.key)) == .noCertificate("none found"))
    for key in [[], identity.chain, Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".utf8)] {
      guard case .key(.unreadable) = problem(pem(identity, key: key)) else {
        Issue.record("\(String(decoding: key.prefix(40), as: UTF8.self)) was read")
        continue
      }
    }
    var broken = identity.chain
    broken[100] = UInt8(ascii: "!")
    guard case .noCertificate = problem(.pem(name: "test", chain: broken, key: identity.key)) else {
      Issue.record("a broken certificate was read")
      return
    }
    // A chain whose second certificate is broken would be served incomplete.
    guard case .noCertificate = problem(.pem(name: "test", chain: identity.chain + broken, key: identity.key)) else {
      Issue.record("a chain with a broken end was read")
      return
    }
  }

  @Test func `a key with a password is an error, not a prompt`() throws {
    let bio = try #require(BIO_new(BIO_s_mem()))
    defer { BIO_free(bio) }
    PEM_write_bio_PKCS8PrivateKey(bio, Fixture.ecKey.pointer, EVP_aes_128_cbc(), "secret", 6, nil, nil)
    var bytes: UnsafePointer<UInt8>?
    let count = sluice_bio_bytes(bio, &bytes)
    #expect(problem(pem(Fixture.identity, key: Array(UnsafeBufferPointer(start: bytes, count: count)))) == .key(.encrypted))
  }

  @Test func `a key that is too short is refused`() throws {
    let weak = try KeyHandle(generating: .rsa(bits: 1024))
    guard case .refused = problem(pem(Fixture.identity(["localhost"], key: weak))) else {
      Issue.record("RSA of 1024 bits was taken")
      return
    }
  }

  @Test func `a listener needs a certificate`() {
    #expect(throws: CertificateError(source: "", problem: .noneConfigured)) { try context() }
  }

  @Test func `a self-signed certificate serves its names and addresses`() throws {
    let addresses = [IPAddress(v4: 0x7f00_0001), IPAddress(high: 0, low: 1)]
    let identity = try SelfSigned.certificate(
      names: ["localhost", "*.demo.test"], addresses: addresses, now: Fixture.now, days: 7)
    let context = try context(identity.source(name: "demo"))
    #expect(context.certificates.first?.dnsNames == ["localhost", "*.demo.test"])
    #expect(context.certificates.first?.notAfter == WallTime(seconds: Fixture.now.seconds + 7 * 86_400))
    let summary = try #require(context.certificates.first)
    #expect(summary.addresses == addresses)
    #expect(summary.subject.hasPrefix("CN=") && summary.subject == summary.issuer)
    #expect(summary.keyType == "EC P-256")
    #expect(!summary.serialNumber.isEmpty && summary.serialNumber.allSatisfy(\.isHexDigit))
    #expect(try #require(summary.notBefore) <= Fixture.now)
    #expect(throws: TLSError.certificate) { try SelfSigned.certificate(names: ["a,DNS:evil"], now: Fixture.now) }
    #expect(throws: TLSError.certificate) { try SelfSigned.certificate(names: [], now: Fixture.now) }
  }

  @Test func `a client that verifies takes the right name from a known authority only`() throws {
    let identity = Fixture.identity(["a.test"])
    let stranger = Fixture.identity(["a.test"], key: Fixture.rsaKey)
    for (served, name, flaw) in [
      (identity, "a.test", nil), (identity, "b.test", .name), (stranger, "a.test", .unknownAuthority),
    ] as [(PEMIdentity, String, CertificateFlaw?)] {
      let client = Fixture.client(trust: .authorities(pem: identity.chain))
      let pair = try Pair(server: Fixture.server([served]), client: client, serverName: name)
      _ = try? pair.handshake()
      #expect(pair.client.failure == flaw.map { .untrusted($0) })
    }
  }
}
