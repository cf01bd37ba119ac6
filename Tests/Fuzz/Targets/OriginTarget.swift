import EdgeAuth
import EdgeCore

/// The Origin field of a page (RFC 6454), held against the origins of a route; and the hosts and addresses in it.
func fuzzOrigin(_ input: [UInt8]) throws(BrokenClaim) {
  let text = String(decoding: input, as: UTF8.self)
  try claimNormalForms(text)
  let verdict = rule.decide(origins: [text], scheme: .https, host: "own.example", port: nil, isUpgrade: true)
  switch Origin(text) {
  case nil: try claim("what is no origin is denied", verdict, equals: .denied(.malformed))
  case .opaque?: try claim("an opaque origin is denied", verdict, equals: .denied(.null))
  case .tuple(let scheme, let host, let port)?:
    let isOwn = scheme == "https" && host == "own.example" && port == 443
    let isListed = scheme == "https" && host == "chat.example.com" && port == 8443
    let isBelow = scheme == "https" && host.hasSuffix(".example.org") && port == 443
    let expected: OriginVerdict = isOwn || isListed || isBelow ? .allowed : .denied(.notAllowed)
    try claim("an origin is allowed exactly where it is listed", verdict, equals: expected)
  }
}

private func claimNormalForms(_ text: String) throws(BrokenClaim) {
  if let origin = Origin(text) { try claim("an origin is read again as the same", Origin(origin.description), equals: origin) }
  if let pattern = OriginPattern(text) {
    try claim("a pattern is read again as the same", OriginPattern(pattern.description), equals: pattern)
  }
  if let host = HostName.normalized(text) {
    try claim("a host's normal form is its own", HostName.normalized(host), equals: host)
    let isPlain = host.utf8.allSatisfy { ASCII.isVisible($0) && !"/@?#\\%".utf8.contains($0) }
    try claim("a host has nothing but signs of hosts", isPlain)
  }
  if let address = IPAddress(text) {
    try claim("an address is read again as the same", IPAddress(address.description), equals: address)
  }
  if let block = CIDR(text) {
    try claim("a block is read again as the same", CIDR(block.description), equals: block)
    try claim("a block holds its first address", block.contains(block.network))
  }
}

private let rule = OriginRule(
  patterns: ["same-origin", "https://chat.example.com:8443", "https://*.example.org"].compactMap { OriginPattern($0) })
