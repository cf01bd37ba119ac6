import EdgeAuth
import EdgeCore
import EdgeTLS

/// A JSON Web Key Set (RFC 7517) of an identity provider, up to the keys that OpenSSL makes of it.
func fuzzKeySet(_ input: [UInt8]) throws(BrokenClaim) {
  guard let set = try? KeySet(parsing: input, algorithms: SignatureAlgorithm.allCases) else { return }
  guard let json = try? JSON(parsing: input) else { throw BrokenClaim(claim: "a key set is strict JSON") }
  try claim("every key is used or told of", set.keys.count + set.skipped.count, equals: json["keys"]?.arrayValue?.count ?? -1)
  let again = try? KeySet(parsing: json.encoded(), algorithms: SignatureAlgorithm.allCases)
  try claim("the same set in other words has the same keys", again?.keys, equals: set.keys)
  let only = try? KeySet(parsing: input, algorithms: [.es256])
  try claim("a set has no key for what tokens may not use", only?.keys.allSatisfy { $0.algorithm == .es256 } == true)
  for key in set.keys { try claimUsable(key) }
}

private func claimUsable(_ key: JSONWebKey) throws(BrokenClaim) {
  try claim("a key is for an algorithm that it fits", key.material.fittingAlgorithms.contains(key.algorithm))
  guard let verifier = try? VerificationKey(key) else { return }
  try claim("a key verifies what it is for", verifier.algorithms.contains(key.algorithm))
  let message = Array("message".utf8)
  for algorithm in SignatureAlgorithm.allCases where !verifier.algorithms.contains(algorithm) {
    try claim("a key verifies nothing else", !verifier.verify(algorithm: algorithm, signature: message.span, over: message.span))
  }
  for count in [0, 1, 32, 64, 132, 256] {
    let signature = [UInt8](repeating: 0, count: count)
    let isTaken = verifier.verify(algorithm: key.algorithm, signature: signature.span, over: message.span)
    // A key of small order lets a signature of zeros pass for anything (RFC 8032 §8.9): its owner can sign no worse than that.
    try claim("nothing of zeros is a signature", !isTaken || key.algorithm == .edDSA)
  }
}
