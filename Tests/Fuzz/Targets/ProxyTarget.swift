import EdgeCore
import EdgeHTTP

/// What comes before everything else on a listener behind a proxy: the PROXY protocol, or something else.
func fuzzProxyHeader(_ input: [UInt8]) throws(BrokenClaim) {
  let whole = Outcome(of: input.span)
  // Whoever reads as bytes come in decides as soon as it can, and must not decide otherwise than with more of them.
  let first = (0..<input.count).lazy.map { Outcome(of: input.span.extracting(first: $0)) }.first { $0 != .needMore }
  try claim("the first decision stands", first ?? whole, equals: whole)
  switch whole {
  case .needMore: try claim("a reader waits for a bounded header", input.count < ProxyHeader.maxBytes)
  case .absent, .failed: break
  case .header(let header, let length): try claimFits(header, length: length, input)
  }
}

private func claimFits(_ header: ProxyHeader, length: Int, _ input: [UInt8]) throws(BrokenClaim) {
  try claim("a header lies within its bounds", (1...min(input.count, ProxyHeader.maxBytes)).contains(length))
  let alone = Outcome(of: input.span.extracting(first: length))
  try claim("what follows a header has no say in it", alone, equals: .header(header, length: length))
  try claim("a header is needed to its last byte", Outcome(of: input.span.extracting(first: length - 1)), equals: .needMore)
  guard case .client(.ip(let address, let port)) = header else { return }
  let family = address.isIPv4 ? "TCP4" : "TCP6"
  let text = Array("PROXY \(family) \(address) \(address) \(port) 443\r\n".utf8)
  try claim("an address means the same in either version", Outcome(of: text.span), equals: .header(header, length: text.count))
}

private enum Outcome: Equatable {
  case needMore
  case absent
  case header(ProxyHeader, length: Int)
  case failed(ProxyHeaderError)

  init(of bytes: Span<UInt8>) {
    do throws(ProxyHeaderError) {
      self =
        switch try ProxyHeader.read(bytes) {
        case .needMore: .needMore
        case .absent: .absent
        case .header(let header, let length): .header(header, length: length)
        }
    } catch {
      self = .failed(error)
    }
  }
}
