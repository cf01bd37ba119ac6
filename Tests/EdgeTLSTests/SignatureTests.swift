import EdgeAuth
import EdgeCore
import Testing

@testable import EdgeTLS

extension VerificationKey {
  /// With arrays, since `#expect` takes no spans.
  func accepts(_ signature: [UInt8], of message: [UInt8], _ algorithm: SignatureAlgorithm) -> Bool {
    verify(algorithm: algorithm, signature: signature.span, over: message.span)
  }
}

/// The examples of RFC 7515 appendix A and RFC 8037 appendix A.4.
struct SignatureExampleTests {
  struct Example: Sendable, CustomTestStringConvertible {
    let algorithm: SignatureAlgorithm
    let key: [String: String]
    let signingInput: String
    let signature: String

    var testDescription: String { algorithm.rawValue }

    func material() throws -> JWKMaterial {
      func bytes(_ name: String) throws -> [UInt8] { try #require(key[name].flatMap { Base64.urlSafe.decode($0) }) }
      return switch algorithm {
      case .hs256: .oct(try bytes("k"))
      case .rs256: .rsa(modulus: try bytes("n"), exponent: try bytes("e"))
      case .es512: .ec(curve: .p521, x: try bytes("x"), y: try bytes("y"))
      case .edDSA: .okp(curve: .ed25519, x: try bytes("x"))
      default: .ec(curve: .p256, x: try bytes("x"), y: try bytes("y"))
      }
    }
  }

  static let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
  static let examples = [
    Example(
      algorithm: .hs256, key: ["k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"],
      signingInput: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + claims, signature: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    ),
    Example(
      algorithm: .rs256,
      key: [
        "n": """
        ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs\
        D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV\
        MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ
        """, "e": "AQAB",
      ], signingInput: "eyJhbGciOiJSUzI1NiJ9." + claims,
      signature: """
        cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcA\
        cQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHW\
        EsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw
        """),
    Example(
      algorithm: .es256,
      key: ["x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"],
      signingInput: "eyJhbGciOiJFUzI1NiJ9." + claims,
      signature: "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
    Example(
      algorithm: .edDSA, key: ["x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"],
      signingInput: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      signature: "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
  ]

  @Test(arguments: examples)
  func `the example of the RFC verifies, and no changed byte of it does`(example: Example) throws {
    let key = try VerificationKey(example.material())
    let message = Array(example.signingInput.utf8)
    let signature = try #require(Base64.urlSafe.decode(example.signature))
    #expect(key.accepts(signature, of: message, example.algorithm))
    for index in signature.indices {
      var changed = signature
      changed[index] ^= 0x40
      #expect(!key.accepts(changed, of: message, example.algorithm))
    }
    #expect(!key.accepts(signature, of: (message + [0]), example.algorithm))
    #expect(!key.accepts(Array(signature.dropLast()), of: message, example.algorithm))
    #expect(!key.accepts((signature + [0]), of: message, example.algorithm))
    #expect(!key.accepts([UInt8](), of: message, example.algorithm))
  }

  @Test(arguments: examples)
  func `a key verifies with no algorithm but its own`(example: Example) throws {
    let key = try VerificationKey(example.material())
    let message = Array(example.signingInput.utf8)
    let signature = try #require(Base64.urlSafe.decode(example.signature))
    for other in SignatureAlgorithm.allCases where other != example.algorithm {
      #expect(!key.accepts(signature, of: message, other))
    }
  }
}

struct SigningKeyTests {
  @Test(arguments: SignatureAlgorithm.allCases)
  func `what a generated key signs, its public side verifies`(algorithm: SignatureAlgorithm) throws {
    let key = try SigningKey(generating: algorithm)
    for count in [0, 1, 1_000] {
      let message = pattern(count)
      let signature = try key.sign(message)
      #expect(key.verificationKey.accepts(signature, of: message, algorithm))
      var changed = signature
      changed[changed.count / 2] ^= 1
      #expect(!key.verificationKey.accepts(changed, of: message, algorithm))
    }
    let stranger = try SigningKey(generating: algorithm)
    let signature = try key.sign([1, 2, 3])
    #expect(!stranger.verificationKey.accepts(signature, of: [1, 2, 3], algorithm))
  }

  @Test(arguments: [SignatureAlgorithm.es256, .es384, .es512, .edDSA, .rs256, .ps512])
  func `a key survives PEM, and its published form verifies`(algorithm: SignatureAlgorithm) throws {
    let key = try SigningKey(generating: algorithm)
    let copy = try SigningKey(pem: #require(try key.pem()), algorithm: algorithm)
    let jwks = JSON.object([.init(name: "keys", value: .array([try #require(key.publicJWK(id: "k1"))]))])
    let published = try #require(try KeySet(parsing: jwks.encoded(), algorithms: [algorithm]).keys.first)
    #expect(published.id == "k1")
    let signature = try copy.sign([1, 2, 3])
    #expect(try VerificationKey(published).accepts(signature, of: [1, 2, 3], algorithm))
  }

  @Test func `a secret is neither published nor exported`() throws {
    let key = try SigningKey(generating: .hs256)
    #expect(key.publicJWK(id: "k") == nil)
    #expect(try key.pem() == nil)
  }

  @Test(arguments: [SignatureAlgorithm.es256, .hs256])
  func `a minted token passes the verifier`(algorithm: SignatureAlgorithm) throws {
    let key = try SigningKey(generating: algorithm)
    let draft = TokenDraft(
      algorithm: algorithm, keyID: "k1", subject: "alice", issuedAt: WallTime(seconds: 1_000), lifetime: .seconds(1_000))
    let token = draft.token(signature: try key.sign(draft.signingInput))
    let verifier = TokenVerifier(
      requirements: TokenRequirements(algorithms: [algorithm]), keys: [TokenKey(id: "k1", algorithm: algorithm)])
    let checker = VerificationKeys([key.verificationKey])
    #expect(try verifier.verify(token, now: WallTime(seconds: 1_000), checker: checker).subject == "alice")
    #expect(throws: TokenError.invalid(.signature)) {
      try verifier.verify(
        token, now: WallTime(seconds: 1_000), checker: VerificationKeys([SigningKey(generating: algorithm).verificationKey]))
    }
  }
}

struct KeyTests {
  @Test func `keys that are too weak or of no use are refused`() throws {
    #expect(throws: KeyError.size) { try VerificationKey(secret: [UInt8](repeating: 1, count: 31)) }
    let short = try KeyHandle(generating: .rsa(bits: 1024)).privatePEM()
    #expect(throws: KeyError.size) { try SigningKey(pem: short, algorithm: .rs256) }
    let other = try KeyHandle(generating: .ec(curve: "secp256k1")).privatePEM()
    #expect(throws: KeyError.unsupported) { try SigningKey(pem: other, algorithm: .es256) }
    let p384 = try SigningKey(generating: .es384)
    let pem = try #require(try p384.pem())
    #expect(throws: KeyError.unsupported) { try SigningKey(pem: pem, algorithm: .es256) }
    #expect(throws: KeyError.self) { try SigningKey(pem: Array("no key".utf8), algorithm: .es256) }
  }

  @Test func `a point that is not on the curve is refused`() {
    let one = [UInt8](repeating: 0, count: 31) + [1]
    #expect(throws: KeyError.self) { try VerificationKey(JWKMaterial.ec(curve: .p256, x: one, y: one)) }
    #expect(throws: KeyError.self) { try VerificationKey(JWKMaterial.ec(curve: .p256, x: [], y: [])) }
  }

  @Test func `a signature of zeros is refused`() throws {
    let key = try SigningKey(generating: .es256).verificationKey
    #expect(!key.accepts([UInt8](repeating: 0, count: 64), of: [1], .es256))
  }

  @Test func `the key of a certificate verifies`() throws {
    let signer = try SigningKey(pem: Fixture.ecKey.privatePEM(), algorithm: .es256)
    let key = try VerificationKey(pem: Fixture.identity.chain)
    let signature = try signer.sign([5])
    #expect(key.accepts(signature, of: [5], .es256))
    #expect(key.algorithms == [.es256])
  }

  @Test(
    arguments: [[], [0], [0x80], [0, 0x80], [0xff, 1], Array(repeating: 0xff, count: 66), [1] + Array(repeating: 0, count: 65)]
      as [[UInt8]])
  func `an ECDSA signature survives its two forms`(number: [UInt8]) {
    let r = [UInt8](repeating: 0, count: 66 - number.count) + number
    let s = [UInt8](r.reversed())
    let der = ECDSASignature.der(from: (r + s).span)
    #expect(ECDSASignature.joined(from: der, coordinateBytes: 66) == r + s)
    for count in 0..<der.count { #expect(ECDSASignature.joined(from: Array(der.prefix(count)), coordinateBytes: 66) == nil) }
  }
}

struct DigestTests {
  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func `digests are those of their standards`() {
    #expect(hex(Digest.sha1(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(hex(Digest.sha1([])) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    #expect(hex(Digest.sha256(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    // RFC 4231 §4.2 and §4.3.
    #expect(
      hex(Digest.hmacSHA256(Array("Hi There".utf8), key: [UInt8](repeating: 0x0b, count: 20)))
        == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    #expect(
      hex(Digest.hmacSHA256(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(hex(Digest.hmacSHA256([], key: [])) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }

  @Test func `the accept value of RFC 6455 comes out`() {
    let key = Array("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
    #expect(hex(Digest.sha1(key)) == "b37a4f2cc0624f1690f64606cf385945b2bec4ea")
  }

  @Test func `random bytes differ, and constant-time comparison compares`() {
    #expect(SecureRandom.bytes(count: 32) != SecureRandom.bytes(count: 32))
    #expect(SecureRandom.bytes(count: 0) == [] && SecureRandom.word() != SecureRandom.word())
    #expect(constantTimeEquals([], []) && constantTimeEquals([1, 2], [1, 2]))
    #expect(!constantTimeEquals([1, 2], [1, 3]) && !constantTimeEquals([1], [1, 2]))
  }
}
