public import EdgeCore

/// A request to the admin API.
public struct APIRequest: Equatable, Sendable {
  /// What is done to the resource.
  public enum Method: String, Sendable {
    /// Looks.
    case get = "GET"
    /// Does something, or adds.
    case post = "POST"
    /// Sets.
    case put = "PUT"
    /// Changes.
    case patch = "PATCH"
    /// Takes away.
    case delete = "DELETE"
  }

  /// What is done.
  public var method: Method
  /// Path and query.
  public private(set) var target: String
  /// What is sent, in JSON.
  public var body: JSON?
  /// What is asked for.
  public var accept = "application/json"

  /// Makes a request.
  ///
  /// - Parameters:
  ///   - segments: of the path below `/api/v1`, not escaped.
  ///   - query: parameters, not escaped; those without a value are left out.
  public init(_ method: Method = .get, _ segments: String..., query: [(name: String, value: String?)] = [], body: JSON? = nil) {
    self.method = method
    self.body = body
    target = segments.reduce("/api/v1") { "\($0)/\(escaped($1))" }
    let pairs = query.compactMap { pair in pair.value.map { "\(pair.name)=\(escaped($0))" } }
    if !pairs.isEmpty { target += "?" + pairs.joined(separator: "&") }
  }
}

private func escaped(_ text: String) -> String {
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    if ASCII.isUnreserved(byte) { bytes.append(byte) } else { PercentEncoding.append(byte, to: &bytes) }
  }
  return String(decoding: bytes, as: UTF8.self)
}
