import EdgeAuth
import EdgeCore
import EdgeTLS

/// A token (RFC 7515, RFC 7519), verified with real keys.
///
/// The first byte of the input chooses: a token as it is, or a header and claims that the target signs with a secret of its own, so
/// that what a holder of the key could write is reached too.
func fuzzToken(_ input: [UInt8]) throws(BrokenClaim) {
  var script = Script(input)
  guard let keys, let choice = script.byte() else { return }
  guard choice & 1 != 0 else { return try fuzzToken(script.remainder(), with: keys) }
  let (header, claims) = (script.bytes(), script.remainder())
  let signingInput = Array("\(Base64.urlSafe.encode(header)).\(Base64.urlSafe.encode(claims))".utf8)
  guard let signature = try? keys.secret.sign(signingInput) else { throw BrokenClaim(claim: "a secret signs") }
  let token = signingInput + Array(".\(Base64.urlSafe.encode(signature))".utf8)
  try fuzzToken(token, with: keys)
  try claimTamperProof(token, with: keys)
}

private func fuzzToken(_ token: [UInt8], with keys: Keys) throws(BrokenClaim) {
  let accepted: VerifiedToken
  do throws(TokenError) {
    accepted = try keys.verifier.verify(token.span, now: today, checker: keys.checker)
  } catch {
    let isFixed = error == .expired || TokenFlaw.allCases.contains { error == .invalid($0) }
    return try claim("a refusal says nothing of the token", isFixed)
  }
  try claimSigned(token, with: keys)
  try claim("a user has a name of bounded length", (1...1024).contains(accepted.subject.utf8.count))
  let isPlain = !accepted.subject.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
  try claim("a user's name has no control characters", isPlain)
  try claim("the issuer is the one that was asked for", accepted.claims["iss"]?.stringValue, equals: "https://id.example/")
  let audience = accepted.claims["aud"]
  let isMeant = audience == "chat" || audience?.arrayValue?.contains("chat") == true
  try claim("the audience is the one that was asked for", isMeant)
  let leeway = keys.verifier.requirements.leeway
  try claim("a token that is accepted has not expired", today < accepted.expires.adding(leeway))
  try claim("a token that is accepted is accepted again", (try? keys.verifier.recheck(accepted, now: today)) != nil)
  let end = accepted.expires.adding(leeway)
  try claim("no token outlives its exp", (try? keys.verifier.verify(token.span, now: end, checker: keys.checker)) == nil)
}

/// Only what our keys have signed is accepted. Those that have a private part signed one text, and then the part was thrown away.
private func claimSigned(_ token: [UInt8], with keys: Keys) throws(BrokenClaim) {
  let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
  try claim("a token has three parts", parts.count, equals: 3)
  let signingInput = Array(parts[0] + [UInt8(ascii: ".")] + parts[1])
  let signature = (try? keys.secret.sign(signingInput)).map { Base64.urlSafe.encode($0) }
  if signature == String(decoding: parts[2], as: UTF8.self) { return }
  try claim("only what was signed is accepted", parts[1].elementsEqual(Base64.urlSafe.encode(Array(onceSignedClaims.utf8)).utf8))
}

/// One sign of a token is changed, to another of base64url: nothing of it is good any more.
private func claimTamperProof(_ token: [UInt8], with keys: Keys) throws(BrokenClaim) {
  var random = SplitMix64(hashing: token)
  var tampered = token
  let place = Int(random.next() % UInt64(token.count))
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  tampered[place] = alphabet[Int(random.next() % 64)]
  guard tampered != token else { return }
  let verdict = try? keys.verifier.verify(tampered.span, now: today, checker: keys.checker)
  try claim("a token that was changed is refused", verdict == nil, "place \(place)")
}

/// When tokens are verified: the end of 2023.
private let today = WallTime(seconds: 1_700_000_000)

/// The claims of the tokens among the seeds that the asymmetric keys signed.
private let onceSignedClaims =
  #"{"sub":"alice","iss":"https://id.example/","aud":"chat","exp":4000000000}"#

private struct Keys {
  let secret: SigningKey
  let verifier: TokenVerifier
  let checker: VerificationKeys

  init() throws {
    secret = try SigningKey(secret: Array("a secret of the fuzz targets, and of nobody else's".utf8), algorithm: .hs256)
    let set = try KeySet(parsing: Array(publicKeys.utf8), algorithms: SignatureAlgorithm.allCases)
    verifier = TokenVerifier(
      requirements: TokenRequirements(
        issuer: "https://id.example/", audiences: ["chat"], algorithms: SignatureAlgorithm.allCases, leeway: .seconds(30)),
      keys: [TokenKey(id: "secret", algorithm: .hs256)] + set.keys.map(\.tokenKey))
    checker = VerificationKeys([secret.verificationKey] + (try set.keys.map { key in try VerificationKey(key) }))
  }
}

private let keys = try? Keys()

/// Public keys whose private parts do not exist any more.
private let publicKeys = """
  {"keys":[
  {"kty":"RSA","kid":"rsa","alg":"RS256","n":"yjtjMn28t7puFepk-sl8hMxxi7afZ8Scp3w_hUMxhoVLTo98ZXpVXHv59tPTLOaxa3FXiQNOzo\
  QzB1xUmaf-cRKF5f1l4hmEZviwk3oPRy6zvVzx6Rm5ipqnpRc34ccsxBFcPSoC1hPCFYP8H_XFUJmupC9lRlMqdnFwUlL2npzgFkb2FDihZPFJai-qL2pj\
  Pn0EJA4IH-j3lvLnhKnFLtqn1lAYkYHEUsxEut-sZwmACio5RhuAJqHx-2P3U-B9LtckNtV6zSKlkZ-NtVpzfzAbYuLs88rJPUtREYpxLQsBj8bIQVig6d\
  gLfWK41CB7ajJDvVKYZKLa9F-JOWjjWQ","e":"AQAB"},
  {"kty":"EC","kid":"ec","crv":"P-256","x":"p3EyB3iQr9pprGFEqkKpOFcwOhReZXTdKanZvn8hwxA","y":"anxcG42Jo8_mpO_p-hY8wmo2F_\
  iwNFH8UGaBduueURM"},
  {"kty":"OKP","kid":"ed","crv":"Ed25519","x":"wbpK1eZfl-fzwWFejnsNosXs6QwyHQoq0PwAVga4DJ0"}
  ]}
  """
