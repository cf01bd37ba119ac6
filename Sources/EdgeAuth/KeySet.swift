public import EdgeCore

/// The usable keys of a JSON Web Key Set (RFC 7517 §5), and why the others are not.
public struct KeySet: Sendable {
  /// The keys to verify with, in the order of the set.
  public let keys: [JSONWebKey]
  /// The keys that were left out.
  public let skipped: [SkippedKey]

  /// A key of a set that cannot be used.
  public struct SkippedKey: Hashable, Sendable {
    /// Its position in the set, counted from 0.
    public let position: Int
    /// Why.
    public let reason: KeyFlaw
  }

  /// Makes a set of keys that came another way, such as from a PEM file or a secret file.
  public init(keys: [JSONWebKey]) {
    self.keys = keys
    skipped = []
  }

  /// Parses a set.
  ///
  /// A key that is unfit is skipped, since sets of identity providers hold keys for other uses. A key without `alg` gets the one
  /// algorithm that fits it: the curve's, or the only one among `algorithms` of its type.
  ///
  /// - Parameters:
  ///   - bytes: the set as JSON, at most 1 MiB and 100 keys.
  ///   - algorithms: the algorithms that tokens may use; keys for others are skipped.
  /// - Throws: `KeySetError` when this is no key set; a set in which every key is skipped is one.
  public init(parsing bytes: [UInt8], algorithms: [SignatureAlgorithm]) throws(KeySetError) {
    guard bytes.count <= maxSetBytes else { throw .tooLarge }
    let json: JSON
    do throws(JSONError) { json = try JSON(parsing: bytes, maxDepth: 8) } catch { throw .malformed(error) }
    guard let entries = json["keys"]?.arrayValue else { throw .noKeys }
    guard entries.count <= maxKeys else { throw .tooManyKeys }
    var keys: [JSONWebKey] = []
    var skipped: [SkippedKey] = []
    for (position, entry) in entries.enumerated() {
      do throws(KeyFlaw) {
        keys.append(try JSONWebKey(json: entry, algorithms: algorithms))
      } catch {
        skipped.append(SkippedKey(position: position, reason: error))
      }
    }
    self.keys = keys
    self.skipped = skipped
  }
}

/// Why bytes are no key set.
public enum KeySetError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Not strict JSON.
  case malformed(JSONError)
  /// No array `keys`.
  case noKeys
  /// More than 100 keys.
  case tooManyKeys
  /// More than 1 MiB.
  case tooLarge

  /// A phrase for a log line.
  public var description: String {
    switch self {
    case .malformed(let error): "not JSON: \(error)"
    case .noKeys: "no array `keys`"
    case .tooManyKeys: "more than \(maxKeys) keys"
    case .tooLarge: "more than \(maxSetBytes) bytes"
    }
  }
}

extension JSONWebKey {
  /// Reads one key of a set.
  fileprivate init(json: JSON, algorithms: [SignatureAlgorithm]) throws(KeyFlaw) {
    guard let type = json["kty"]?.stringValue else { throw .notAKey }
    if let use = json["use"], use != "sig" { throw .notForVerifying }
    if let operations = json["key_ops"] {
      guard let operations = operations.arrayValue, operations.contains("verify") else { throw .notForVerifying }
    }
    let id = json["kid"]?.stringValue
    guard id?.utf8.count ?? 0 <= maxKeyIDBytes, (id == nil) == (json["kid"] == nil) else { throw .invalidID }
    let material = try JWKMaterial(json: json, type: type)
    var named: SignatureAlgorithm?
    if let name = json["alg"] {
      guard let algorithm = name.stringValue.flatMap(SignatureAlgorithm.init(name:)) else { throw .unknownAlgorithm }
      named = algorithm
    }
    try self.init(id: id, algorithm: named, material: material, allowed: algorithms)
  }
}

extension JWKMaterial {
  fileprivate init(json: JSON, type: String) throws(KeyFlaw) {
    switch type {
    case "RSA":
      self = try rsaMaterial(json)
    case "EC":
      guard let curve = json["crv"]?.stringValue.flatMap(EllipticCurve.init(rawValue:)) else { throw .unknownCurve }
      guard let x = json.bytes("x"), let y = json.bytes("y"), x.count == curve.coordinateBytes, y.count == x.count else {
        throw .invalidMaterial
      }
      self = .ec(curve: curve, x: x, y: y)
    case "OKP":
      guard let curve = json["crv"]?.stringValue.flatMap(EdwardsCurve.init(rawValue:)) else { throw .unknownCurve }
      guard let x = json.bytes("x"), x.count == curve.keyBytes else { throw .invalidMaterial }
      self = .okp(curve: curve, x: x)
    case "oct":
      guard let secret = json.bytes("k"), !secret.isEmpty else { throw .invalidMaterial }
      self = .oct(secret)
    default:
      throw .unknownType
    }
  }
}

extension JSON {
  fileprivate func bytes(_ name: String) -> [UInt8]? {
    self[name]?.stringValue.flatMap { Base64.urlSafe.decode($0) }
  }
}

private func rsaMaterial(_ json: JSON) throws(KeyFlaw) -> JWKMaterial {
  guard let modulus = json.bytes("n")?.withoutLeadingZeros, let exponent = json.bytes("e")?.withoutLeadingZeros,
    let first = modulus.first, let lowest = exponent.last, lowest & 1 == 1, exponent != [1], exponent.count <= maxExponentBytes
  else { throw .invalidMaterial }
  let bits = modulus.count * 8 - first.leadingZeroBitCount
  guard bits >= minModulusBits else { throw .tooWeak }
  guard bits <= maxModulusBits else { throw .tooLarge }
  return .rsa(modulus: modulus, exponent: exponent)
}

extension [UInt8] {
  fileprivate var withoutLeadingZeros: [UInt8] { Array(drop { $0 == 0 }) }
}

/// The longest name of a key.
let maxKeyIDBytes = 256
private let maxSetBytes = 1 << 20
private let maxKeys = 100
private let minModulusBits = 2048
private let maxModulusBits = 8192
/// Exponents of practice fit; larger ones only cost time.
private let maxExponentBytes = 4
