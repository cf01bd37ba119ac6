import EdgeAuth
import EdgeCore

@testable import EdgeTLS

/// One trick, as it is played on a key.
struct HostileToken: Sendable {
  let trick: String
  /// What the verifier must say. That it says no is not enough: the trick must fail where it was aimed.
  let verdict: TokenError
  /// The keys that the trick is one for; nil for all.
  let victims: Set<String>?
  /// The tokens, several where the trick has variations.
  let make: @Sendable (Victim) throws -> [[UInt8]]

  init(
    _ trick: String, _ flaw: TokenFlaw, on victims: Set<String>? = nil, many: @escaping @Sendable (Victim) throws -> [[UInt8]]
  ) {
    self.trick = trick
    verdict = .invalid(flaw)
    self.victims = victims
    make = many
  }

  init(
    _ trick: String, _ flaw: TokenFlaw, on victims: Set<String>? = nil, _ make: @escaping @Sendable (Victim) throws -> [UInt8]
  ) {
    self.init(trick, flaw, on: victims, many: { [try make($0)] })
  }

  /// A token whose time is over.
  init(expired trick: String, _ make: @escaping @Sendable (Victim) throws -> [UInt8]) {
    self.trick = trick
    verdict = .expired
    victims = nil
    self.make = { [try make($0)] }
  }

  func fits(_ victim: Victim) -> Bool { victims?.contains(victim.id) ?? true }

  static let all = algorithms + headers + keyNames + foreignKeys + signatures + encodings + shapes + claimSets + times
}

extension HostileToken {
  /// A signed header with this text, of which `ALG` and `KID` are the victim's.
  private static func header(_ trick: String, _ flaw: TokenFlaw, _ text: String) -> HostileToken {
    HostileToken(trick, flaw) { victim in
      try victim.signed(header: text.replacing("ALG", with: victim.algorithm.rawValue).replacing("KID", with: victim.id))
    }
  }

  private static func claimsOf(_ trick: String, _ flaw: TokenFlaw, _ texts: String...) -> HostileToken {
    HostileToken(trick, flaw, many: { victim in try texts.map { try victim.signed(claims: $0) } })
  }

  // MARK: Which algorithm (RFC 8725 §3.1, RFC 7515 §4.1.1)

  private static let algorithms: [HostileToken] = [
    HostileToken(
      "no signature at all, alg none in every spelling", .algorithm,
      many: { _ in
        ["none", "None", "NONE", "nOnE", "none ", " none", "NoNe"].map { alg in
          let parts = [#"{"alg":"\#(alg)","typ":"JWT"}"#, goodClaims].map { Base64.urlSafe.encode(Array($0.utf8)) }
          return Array("\(parts.joined(separator: ".")).".utf8)
        }
      }),
    header("alg none with a proper signature", .algorithm, #"{"alg":"none","kid":"KID"}"#),
    header("alg empty", .algorithm, #"{"alg":"","kid":"KID"}"#), header("alg missing", .algorithm, #"{"kid":"KID"}"#),
    header("alg null", .algorithm, #"{"alg":null,"kid":"KID"}"#), header("alg a number", .algorithm, #"{"alg":256,"kid":"KID"}"#),
    header("alg in a list", .algorithm, #"{"alg":["ALG"],"kid":"KID"}"#),
    header("alg with a space", .algorithm, #"{"alg":"ALG ","kid":"KID"}"#),
    header("alg with a NUL", .algorithm, #"{"alg":"ALG\u0000","kid":"KID"}"#),
    header("a name in other letters, Alg", .algorithm, #"{"Alg":"ALG","kid":"KID"}"#),
    HostileToken("alg in other letters", .algorithm) { victim in
      let other = victim.algorithm == .edDSA ? "EDDSA" : victim.algorithm.rawValue.lowercased()
      return try victim.signed(header: #"{"alg":"\#(other)","kid":"\#(victim.id)"}"#)
    },
    header("an algorithm that nobody here knows", .algorithm, #"{"alg":"ES256K","kid":"KID"}"#),
    header("an algorithm for encryption", .algorithm, #"{"alg":"RSA-OAEP","kid":"KID"}"#),
    header("direct encryption", .algorithm, #"{"alg":"dir","enc":"A128GCM","kid":"KID"}"#),
    HostileToken(
      "the key named with each algorithm but its own", .unknownKey,
      many: { victim in
        try SignatureAlgorithm.allCases.filter { $0 != victim.algorithm }.map { other in
          try victim.resigned(header: #"{"alg":"\#(other.rawValue)","kid":"\#(victim.id)"}"#) { _, _ in
            [UInt8](repeating: 1, count: other.usualSignatureBytes)
          }
        }
      }),
    HostileToken(
      "the public key as a secret, in PEM, DER, JWK and JWKS", .signature, on: publicKeys,
      many: { victim in
        try victim.publicForms().map { try victim.forged(secret: $0, header: #"{"alg":"HS256"}"#) }
      }),
    HostileToken(
      "the public key as a secret, by its name", .unknownKey, on: publicKeys,
      many: { victim in
        try victim.publicForms().map { try victim.forged(secret: $0, header: #"{"alg":"HS256","kid":"\#(victim.id)"}"#) }
      }),
    HostileToken(
      "the public key as a secret, by the name of the secret", .signature, on: publicKeys,
      many: { victim in
        try victim.publicForms().map { try victim.forged(secret: $0, header: #"{"alg":"HS256","kid":"HS256"}"#) }
      }),
    HostileToken("an empty secret", .signature) { victim in
      let input = "\(Base64.urlSafe.encode(Array(#"{"alg":"HS256","kid":"HS256"}"#.utf8))).e30"
      return Array("\(input).\(Base64.urlSafe.encode(Digest.hmacSHA256(Array(input.utf8), key: [])))".utf8)
    },
  ]

  // MARK: Headers (RFC 7515 §4, RFC 7797)

  private static let headers: [HostileToken] = [
    header("alg twice, the good one last", .malformedHeader, #"{"alg":"none","alg":"ALG","kid":"KID"}"#),
    header("alg twice, the good one first", .malformedHeader, #"{"alg":"ALG","alg":"none","kid":"KID"}"#),
    header("alg twice, once with an escape", .malformedHeader, #"{"alg":"ALG","\u0061lg":"none","kid":"KID"}"#),
    header("kid twice", .malformedHeader, #"{"alg":"ALG","kid":"KID","kid":"x"}"#),
    header("a list for a header", .malformedHeader, #"["ALG"]"#), header("a text for a header", .malformedHeader, #""ALG""#),
    header("null for a header", .malformedHeader, "null"), header("nothing for a header", .malformedHeader, ""),
    header("more behind the header", .malformedHeader, #"{"alg":"ALG","kid":"KID"}x"#),
    header("a comma too many", .malformedHeader, #"{"alg":"ALG","kid":"KID",}"#),
    header("a byte order mark", .malformedHeader, "\u{feff}" + #"{"alg":"ALG","kid":"KID"}"#),
    header("single quotes", .malformedHeader, "{'alg':'ALG','kid':'KID'}"),
    header("a comment", .malformedHeader, #"{"alg":"ALG"/**/,"kid":"KID"}"#),
    header("NaN", .malformedHeader, #"{"alg":"ALG","kid":"KID","x":NaN}"#),
    header("typ a number", .malformedHeader, #"{"alg":"ALG","kid":"KID","typ":1}"#),
    header("crit with exp", .critical, #"{"alg":"ALG","kid":"KID","crit":["exp"],"exp":1}"#),
    header("crit empty", .critical, #"{"alg":"ALG","kid":"KID","crit":[]}"#),
    header("crit null", .critical, #"{"alg":"ALG","kid":"KID","crit":null}"#),
    header("crit a text", .critical, #"{"alg":"ALG","kid":"KID","crit":"exp"}"#),
    header("crit with what is not there", .critical, #"{"alg":"ALG","kid":"KID","crit":["x"]}"#),
    header("crit with an extension", .critical, #"{"alg":"ALG","kid":"KID","crit":["urn:x"],"urn:x":true}"#),
    header("b64 false and critical", .critical, #"{"alg":"ALG","kid":"KID","crit":["b64"],"b64":false}"#),
    header("b64 false alone", .critical, #"{"alg":"ALG","kid":"KID","b64":false}"#),
    header("b64 true", .critical, #"{"alg":"ALG","kid":"KID","b64":true}"#),
    HostileToken("deep JSON in the header", .malformedHeader) { victim in
      try victim.signed(header: victim.header(#","x":\#(deep)"#))
    },
    HostileToken(
      "bytes in the header that are no UTF-8", .malformedHeader,
      many: { victim in
        try notUTF8.map { bad in
          try victim.signed(
            header: Array(victim.header().dropLast().utf8) + Array(#","x":""#.utf8) + bad + Array(#""}"#.utf8),
            claims: Array(goodClaims.utf8))
        }
      }),
  ]

  // MARK: Names of keys (RFC 7515 §4.1.4)

  private static let keyNames: [HostileToken] = [
    header("kid a number", .malformedHeader, #"{"alg":"ALG","kid":1}"#),
    header("kid null", .malformedHeader, #"{"alg":"ALG","kid":null}"#),
    header("kid in a list", .malformedHeader, #"{"alg":"ALG","kid":["KID"]}"#),
    header("kid empty", .unknownKey, #"{"alg":"ALG","kid":""}"#),
    header("kid with a space", .unknownKey, #"{"alg":"ALG","kid":"KID "}"#),
    header("kid with a NUL", .unknownKey, #"{"alg":"ALG","kid":"KID\u0000"}"#),
    header("kid a path", .unknownKey, #"{"alg":"ALG","kid":"../../../dev/null"}"#),
    header("kid an address", .unknownKey, #"{"alg":"ALG","kid":"https://evil.example/k"}"#),
    header("kid an SQL injection", .unknownKey, #"{"alg":"ALG","kid":"' UNION SELECT 'secret' --"}"#),
    header("kid a command", .unknownKey, #"{"alg":"ALG","kid":"$(id)|/bin/true"}"#),
    header("kid a wildcard", .unknownKey, #"{"alg":"ALG","kid":"*"}"#),
    HostileToken("kid of thousands of bytes", .unknownKey) { victim in
      try victim.signed(header: #"{"alg":"\#(victim.algorithm.rawValue)","kid":"\#(String(repeating: "k", count: 4000))"}"#)
    },
    HostileToken(
      "the name of each other key", .unknownKey,
      many: { victim in
        try Victim.all.filter { $0.algorithm != victim.algorithm }.map { other in
          try victim.signed(header: #"{"alg":"\#(victim.algorithm.rawValue)","kid":"\#(other.id)"}"#)
        }
      }),
  ]

  // MARK: Keys that the token brings along (RFC 8725 §3.10)

  private static let foreignKeys: [HostileToken] = [
    HostileToken("jwk: the attacker's own key", .signature, on: publicKeys) { victim in
      let own = try SigningKey(generating: victim.algorithm)
      let jwk = String(decoding: own.publicJWK(id: victim.id)?.encoded() ?? [], as: UTF8.self)
      return try victim.forged(by: own, header: victim.header(#","jwk":\#(jwk)"#))
    },
    foreign("jku", #""https://evil.example/jwks.json""#), foreign("x5u", #""https://evil.example/chain.pem""#),
    foreign("x5c", #"["MIIB"]"#), foreign("x5t", #""AAAA""#), foreign("x5t#S256", #""AAAA""#),
    HostileToken("the signature of a stranger's key of the same type", .signature) { victim in
      try victim.forged(by: SigningKey(generating: victim.algorithm), header: victim.header())
    },
  ]

  private static func foreign(_ member: String, _ value: String) -> HostileToken {
    HostileToken("\(member): the attacker's key somewhere else", .signature) { victim in
      try victim.forged(by: SigningKey(generating: victim.algorithm), header: victim.header(#","\#(member)":\#(value)"#))
    }
  }

  // MARK: Signatures (RFC 7518 §3, RFC 8032 §5.1.7)

  private static let signatures: [HostileToken] = [
    HostileToken("no signature behind the dot", .signature) { try $0.resigned { _, _ in [] } },
    HostileToken("a signature of one byte", .signature) { try $0.resigned { _, _ in [0] } },
    HostileToken(
      "a signature cut short", .signature,
      many: { victim in
        try [1, 2, 8].map { count in try victim.resigned { signature, _ in Array(signature.dropLast(count)) } }
      }),
    HostileToken(
      "a signature with more behind it", .signature,
      many: { victim in
        try [[0], [1], [UInt8](repeating: 0, count: 32)].map { more in try victim.resigned { signature, _ in signature + more } }
      }),
    HostileToken("a signature with more before it", .signature) { try $0.resigned { signature, _ in [0] + signature } },
    HostileToken("a signature twice", .signature) { try $0.resigned { signature, _ in signature + signature } },
    HostileToken("a signature of zeros", .signature) { try $0.resigned { signature, _ in signature.map { _ in 0 } } },
    HostileToken("a signature of ones", .signature) { try $0.resigned { signature, _ in signature.map { _ in 0xff } } },
    HostileToken(
      "a signature with one bit changed, first and last", .signature,
      many: { victim in
        try [true, false].map { isFirst in
          try victim.resigned { signature, _ in
            var changed = signature
            changed[isFirst ? 0 : changed.count - 1] ^= 1
            return changed
          }
        }
      }),
    HostileToken("the halves of a signature in the other order", .signature) { victim in
      try victim.resigned { signature, _ in Array(signature[(signature.count / 2)...] + signature[..<(signature.count / 2)]) }
    },
    HostileToken("the signature of other claims", .signature) { victim in
      let other = String(decoding: try victim.signed(claims: claims("sub", #""root""#)), as: UTF8.self).split(separator: ".")
      return try victim.edited { "\($0.split(separator: ".")[0]).\(other[1]).\($0.split(separator: ".")[2])" }
    },
    HostileToken("the signature of the claims alone", .signature) { victim in
      try victim.resigned { _, input in try victim.key.sign(Array(input.drop { $0 != UInt8(ascii: ".") }.dropFirst())) }
    },
    HostileToken("RSA with the other padding", .signature, on: ["RS256", "PS256"]) { victim in
      let other = try SigningKey(pem: victim.key.pem() ?? [], algorithm: victim.algorithm == .rs256 ? .ps256 : .rs256)
      return try victim.forged(by: other, header: victim.header())
    },
    HostileToken(
      "RSA with another digest", .signature, on: ["RS256"],
      many: { victim in
        try [SignatureAlgorithm.rs384, .rs512].map { other in
          try victim.forged(by: SigningKey(pem: victim.key.pem() ?? [], algorithm: other), header: victim.header())
        }
      }),
    HostileToken("ECDSA in DER", .signature, on: ecdsaKeys) {
      try $0.resigned { signature, _ in ECDSASignature.der(from: signature.span) }
    },
    HostileToken(
      "ECDSA with r of zero, and with s of zero", .signature, on: ecdsaKeys,
      many: { victim in
        try [true, false].map { isR in
          try victim.resigned { signature, _ in
            let half = signature.count / 2
            let zeros = [UInt8](repeating: 0, count: half)
            return isR ? zeros + signature[half...] : signature[..<half] + zeros
          }
        }
      }),
    HostileToken("ECDSA with s as large as the order of P-256", .signature, on: ["ES256"]) { victim in
      try victim.resigned { signature, _ in signature[..<32] + orderOfP256 }
    },
    HostileToken("ECDSA with r as large as the order of P-256", .signature, on: ["ES256"]) { victim in
      try victim.resigned { signature, _ in orderOfP256 + signature[32...] }
    },
    HostileToken("ECDSA with a leading zero in each half", .signature, on: ecdsaKeys) { victim in
      try victim.resigned { signature, _ in [0] + signature[..<(signature.count / 2)] + [0] + signature[(signature.count / 2)...]
      }
    },
    HostileToken(
      "ECDSA of another curve", .signature, on: ecdsaKeys,
      many: { victim in
        try [SignatureAlgorithm.es256, .es384, .es512].filter { $0 != victim.algorithm }.map { other in
          try victim.forged(by: SigningKey(generating: other), header: victim.header())
        }
      }),
    HostileToken(
      "Ed25519 with R of small order and S of zero", .signature, on: ["Ed25519"],
      many: { victim in
        try smallOrderPoints.map { point in try victim.resigned { _, _ in point + [UInt8](repeating: 0, count: 32) } }
      }),
    HostileToken("Ed25519 with S not reduced", .signature, on: ["Ed25519"]) { victim in
      try victim.resigned { signature, _ in signature[..<32] + sum(Array(signature[32...]), orderOfEd25519) }
    },
    HostileToken("Ed25519 for Ed448 and the other way round", .signature, on: ["Ed25519", "Ed448"]) { victim in
      let other = Victim.all.first { $0.algorithm == .edDSA && $0.id != victim.id } ?? victim
      return try victim.forged(by: other.key, header: victim.header())
    },
    HostileToken("an HMAC cut to half its length", .signature, on: ["HS256", "HS512"]) { victim in
      try victim.resigned { signature, _ in Array(signature.prefix(signature.count / 2)) }
    },
  ]

  // MARK: Base64url (RFC 7515 §2)

  private static let encodings: [HostileToken] = [
    HostileToken(
      "padding behind each part", .malformed,
      many: { victim in
        try [0, 2].map { part in try victim.edited { $0.replacingPart(part) { $0 + "=" } } }
          + [victim.signed(input: "\(victim.unsigned)=")]
      }),
    HostileToken(
      "a line feed in each part", .malformed,
      many: { victim in
        try [0, 2].map { part in try victim.edited { $0.replacingPart(part) { $0.prefix(8) + "\n" + $0.dropFirst(8) } } }
          + [victim.signed(input: "\(victim.unsigned)\n")]
      }),
    HostileToken(
      "white space behind the token", .malformed,
      many: { victim in
        try [" ", "\n", "\r\n", "\t", "\u{0}"].map { more in try victim.edited { $0 + more } }
      }),
    HostileToken(
      "white space before the token", .malformed,
      many: { victim in
        try [" ", "\n", "\t"].map { more in try victim.edited { more + $0 } }
      }),
    HostileToken(
      "the letters of the other base64", .malformed,
      many: { victim in
        try ["+", "/"].map { letter in try victim.edited { $0.replacingPart(2) { letter + $0.dropFirst() } } }
      }),
    HostileToken("percent-encoding", .malformed) { try $0.edited { $0.replacing(".", with: "%2E") } },
    HostileToken("dots that are none", .malformed) { try $0.edited { $0.replacing(".", with: "\u{2024}") } },
    HostileToken("unused bits that are set, in signed claims", .malformed) { victim in
      // 3n + 1 bytes: four bits of the last letter stand for nothing.
      let text = goodClaims + String(repeating: " ", count: (4 - goodClaims.utf8.count % 3) % 3)
      let input =
        "\(Base64.urlSafe.encode(Array(victim.header().utf8))).\(Base64.urlSafe.encode(Array(text.utf8)).withUnusedBits)"
      return try victim.signed(input: input)
    },
    HostileToken("unused bits that are set, in the signature", .malformed, on: ["RS256", "ES256", "Ed25519", "HS256", "HS512"]) {
      victim in
      try victim.edited { $0.withUnusedBits }
    },
    HostileToken("a length that no bytes have", .malformed) { victim in
      let text = Base64.urlSafe.encode(
        Array((goodClaims + String(repeating: " ", count: (3 - goodClaims.utf8.count % 3) % 3)).utf8))
      return try victim.signed(input: "\(Base64.urlSafe.encode(Array(victim.header().utf8))).\(text)A")
    },
  ]

  // MARK: Shapes (RFC 7515 §7, RFC 7516 §3, RFC 7519 §5.2)

  private static let shapes: [HostileToken] = [
    HostileToken("nothing", .malformed) { _ in [UInt8]() },
    HostileToken("dots alone", .malformed, many: { _ in [".", "...", "....", "....."].map { Array($0.utf8) } }),
    HostileToken("two parts", .malformed) { try $0.edited { $0.split(separator: ".").prefix(2).joined(separator: ".") } },
    HostileToken(
      "four parts", .malformed,
      many: { victim in
        try [{ $0 + ".e30" }, { "e30." + $0 }, { $0 + "." }, { "." + $0 }].map { (change: (String) -> String) in
          try victim.edited(change)
        }
      }),
    HostileToken("five parts, an encrypted token", .malformed) { _ in
      Array("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp.48V1_ALb6US04U3b.5eym8TW_c8SuK0lt.XFBoMYUZodetZdvT".utf8)
    },
    HostileToken("a token in a token", .malformedClaims) { victim in
      try victim.signed(header: victim.header(#","cty":"JWT""#), claims: String(decoding: victim.signed(), as: UTF8.self))
    },
    HostileToken("a token in a token, in quotes", .malformedClaims) { victim in
      try victim.signed(
        header: victim.header(#","cty":"JWT""#), claims: "\"\(String(decoding: victim.signed(), as: UTF8.self))\"")
    },
    HostileToken("the JSON serialization", .malformed) { victim in
      let parts = String(decoding: try victim.signed(), as: UTF8.self).split(separator: ".")
      return Array(#"{"protected":"\#(parts[0])","payload":"\#(parts[1])","signature":"\#(parts[2])"}"#.utf8)
    },
    HostileToken("two tokens", .malformed) { try $0.edited { $0 + "." + $0 } },
    HostileToken("a token of 8 KiB and a byte", .tooLong) { victim in
      let token = try victim.signed()
      return token + [UInt8](repeating: UInt8(ascii: "A"), count: 8193 - token.count)
    },
    HostileToken("a well-signed token over 8 KiB", .tooLong) { victim in
      try victim.signed(claims: claims("x", "\"\(String(repeating: "x", count: 8192))\""))
    },
    HostileToken("8 KiB of dots", .malformed) { _ in [UInt8](repeating: UInt8(ascii: "."), count: 8192) },
    HostileToken("bytes that are no text", .malformed) { _ in (0..<200).map { UInt8($0) | 0x80 } },
  ]

  // MARK: Claims (RFC 7519 §4, RFC 8259)

  private static let claimSets: [HostileToken] = [
    claimsOf("claims that are no object", .malformedClaims, "", "null", "[]", #""alice""#, "1", "true", "{"),
    claimsOf(
      "sub twice", .malformedClaims, #"{"sub":"alice","sub":"root","exp":1700003600}"#, #"{"sub":"alice","s\u0075b":"root"}"#),
    claimsOf("exp twice", .malformedClaims, #"{"sub":"a","exp":1,"exp":1700003600}"#),
    claimsOf("a member twice, deep inside", .malformedClaims, claims("x", #"{"a":[{"b":1,"b":2}]}"#)),
    claimsOf("more behind the claims", .malformedClaims, goodClaims + "{}", goodClaims + "x", goodClaims + "\u{0}"),
    claimsOf("a byte order mark before the claims", .malformedClaims, "\u{feff}" + goodClaims),
    claimsOf(
      "numbers that JSON does not have", .malformedClaims, claims("exp", "NaN"), claims("exp", "Infinity"),
      claims("exp", "-Infinity"), claims("exp", "0x7fffffff"), claims("exp", "01700003600"), claims("exp", "+1700003600"),
      claims("exp", "1700003600."), claims("exp", ".5"), claims("exp", "1e"), claims("exp", "1e400"), claims("exp", "-1e400")),
    claimsOf(
      "control characters that are not escaped", .malformedClaims, claims("sub", "\"a\u{0}b\""), claims("sub", "\"a\nb\"")),
    claimsOf("half a surrogate pair", .malformedClaims, claims("sub", #""\ud800""#), claims("sub", #""\udc00""#)),
    HostileToken("deep JSON in the claims", .malformedClaims) { try $0.signed(claims: claims("x", deep)) },
    HostileToken(
      "bytes in the claims that are no UTF-8", .malformedClaims,
      many: { victim in
        try notUTF8.map { bad in
          let text = Array(claims("sub", nil).dropLast().utf8) + Array(#","sub":"a"#.utf8) + bad + Array(#""}"#.utf8)
          return try victim.signed(header: Array(victim.header().utf8), claims: text)
        }
      }),
    claimsOf(
      "sub of a wrong type, empty or missing", .subject, claims("sub", nil), claims("sub", "null"), claims("sub", "42"),
      claims("sub", "true"), claims("sub", #"["alice"]"#), claims("sub", #"{"id":1}"#), claims("sub", #""""#),
      claims("Sub", #""a""#)
        .replacing(#""sub":"alice","#, with: "")),
    claimsOf(
      "escaped control characters in sub", .subject, claims("sub", #""a\u0000""#), claims("sub", #""a\nb""#),
      claims("sub", #""a\r\nX-Admin: 1""#), claims("sub", #""a\u001b[2J""#), claims("sub", #""a\u007f""#),
      claims("sub", #""a\u0085""#),
      claims("sub", #""a\u009b""#)),
    claimsOf("sub of more than 1 KiB", .subject, claims("sub", "\"\(String(repeating: "a", count: 1025))\"")),
    claimsOf(
      "jti of a wrong type, or with control characters", .tokenID, claims("jti", "1"), claims("jti", "null"),
      claims("jti", #"["a"]"#), claims("jti", #""a\u0000""#)),
    claimsOf(
      "iss of a wrong type or missing", .issuer, claims("iss", nil), claims("iss", "null"), claims("iss", "1"),
      claims("iss", #"["https://id.example/"]"#), claims("iss", #"{"https://id.example/":1}"#)),
    claimsOf(
      "iss that is nearly the right one", .issuer, claims("iss", #""https://id.example""#),
      claims("iss", #""HTTPS://id.example/""#),
      claims("iss", #""https://id.example/ ""#), claims("iss", #""https://id.example/\u0000""#),
      claims("iss", #""https://id.example.evil.example/""#), claims("iss", #""https://user@id.example/""#), claims("iss", #""""#)),
    claimsOf(
      "aud of a wrong type, empty or missing", .audience, claims("aud", nil), claims("aud", "null"), claims("aud", "1"),
      claims("aud", "true"), claims("aud", "[]"), claims("aud", #"{"chat":true}"#), claims("aud", #""""#)),
    claimsOf(
      "aud that is nearly the right one", .audience, claims("aud", #""Chat""#), claims("aud", #""chat ""#),
      claims("aud", #""chatter""#), claims("aud", #""cha""#), claims("aud", #""chat,bank""#), claims("aud", #""chat bank""#)),
    claimsOf("aud of somebody else", .audience, claims("aud", #""bank""#), claims("aud", #"["bank","shop"]"#)),
    claimsOf(
      "aud with the right one among what is none", .audience, claims("aud", #"["chat",1]"#), claims("aud", #"["chat",null]"#),
      claims("aud", #"[["chat"]]"#), claims("aud", #"["bank",{"chat":1}]"#)),
    claimsOf("a required claim missing or null", .requiredClaim, claims("scope", nil), claims("scope", "null")),
  ]

  // MARK: Times (RFC 7519 §4.1.4 to §4.1.6); the leeway is 30 s

  private static let times: [HostileToken] = [
    HostileToken(expired: "exp at the edge: over since this moment") { try $0.signed(claims: claims("exp", "1699999970")) },
    HostileToken(expired: "exp with a fraction at the edge") { try $0.signed(claims: claims("exp", "1699999969.999999")) },
    HostileToken(expired: "exp long ago") { try $0.signed(claims: claims("exp", "0")) },
    HostileToken(expired: "exp before 1970") { try $0.signed(claims: claims("exp", "-1")) },
    HostileToken(expired: "exp before the Big Bang") { try $0.signed(claims: claims("exp", "-1e300")) },
    HostileToken(expired: "exp as small as an integer goes") { try $0.signed(claims: claims("exp", "-9223372036854775808")) },
    claimsOf(
      "exp of a wrong type or missing", .expiry, claims("exp", nil), claims("exp", "null"), claims("exp", #""1700003600""#),
      claims("exp", "true"), claims("exp", "[1700003600]"), claims("exp", "{}"),
      claims("Exp", "1700003600").replacing(#""exp":1700003600,"#, with: "")),
    claimsOf(
      "nbf at the edge: not before a moment from now", .notYetValid, claims("nbf", "1700000030.000001"),
      claims("nbf", "1700000031"),
      claims("nbf", "9223372036854775807"), claims("nbf", "1e300")),
    claimsOf(
      "nbf of a wrong type", .notYetValid, claims("nbf", "null"), claims("nbf", #""0""#), claims("nbf", "false"),
      claims("nbf", "[]")),
    claimsOf("iat in the future", .issuedInFuture, claims("iat", "1700000031"), claims("iat", "1e300")),
    claimsOf("iat of a wrong type", .issuedInFuture, claims("iat", "null"), claims("iat", #""1700000000""#), claims("iat", "{}")),
  ]
}

extension SignatureAlgorithm {
  /// The length that a signature has, so that it is not the length that gives a token away.
  fileprivate var usualSignatureBytes: Int {
    switch self {
    case .hs256: 32
    case .hs384: 48
    case .hs512, .es256, .edDSA: 64
    case .es384: 96
    case .es512: 132
    case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: 256
    }
  }
}

extension Victim {
  /// A token with good claims, whose signature another key has made.
  func forged(by other: SigningKey, header: String) throws -> [UInt8] {
    let input = unsigned(header)
    return Array("\(input).\(Base64.urlSafe.encode(try other.sign(Array(input.utf8))))".utf8)
  }

  /// The same with an HMAC, of a secret that may be too short for a key.
  func forged(secret: [UInt8], header: String) throws -> [UInt8] {
    let input = unsigned(header)
    return Array("\(input).\(Base64.urlSafe.encode(Digest.hmacSHA256(Array(input.utf8), key: secret)))".utf8)
  }
}

extension String {
  /// A token with one of its parts changed.
  fileprivate func replacingPart(_ index: Int, _ change: (String) -> String) -> String {
    var parts = split(separator: ".").map(String.init)
    parts[index] = change(parts[index])
    return parts.joined(separator: ".")
  }

  /// With the lowest bit of the last letter set, which stands for nothing.
  fileprivate var withUnusedBits: String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    guard let last, let value = letters.firstIndex(of: last) else { return self }
    return dropLast() + String(letters[value | 1])
  }
}

private let publicKeys: Set = ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "Ed25519", "Ed448"]
private let ecdsaKeys: Set = ["ES256", "ES384", "ES512"]

/// The sum of two numbers of 32 bytes, lowest byte first.
private func sum(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
  var carry = 0
  return zip(left, right).map { left, right in
    let total = Int(left) + Int(right) + carry
    carry = total >> 8
    return UInt8(total & 0xff)
  }
}

private let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
/// A stray byte, an overlong slash, half a surrogate pair, and a number beyond Unicode.
private let notUTF8: [[UInt8]] = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]
private let orderOfP256: [UInt8] =
  [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0] + [UInt8](repeating: 0xff, count: 8) + [0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84]
  + [0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51]
private let orderOfEd25519: [UInt8] =
  [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14]
  + [UInt8](repeating: 0, count: 15) + [0x10]
/// The neutral point, one of order two, and one of order four.
private let smallOrderPoints: [[UInt8]] = [
  [1] + [UInt8](repeating: 0, count: 31), [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f], [UInt8](repeating: 0, count: 32),
]
