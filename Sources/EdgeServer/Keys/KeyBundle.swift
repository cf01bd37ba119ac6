import EdgeAuth
import EdgeIO
import EdgeTLS

/// Keys as a file or an identity provider gives them, ready to verify with.
struct KeyBundle: Sendable {
  /// What was read, to tell whether it has changed.
  enum Source: Equatable {
    case nothing
    case set([JSONWebKey])
    case pem([UInt8])
  }

  let source: Source
  private(set) var keys: [VerificationKey] = []
  /// The same keys as a verifier knows them, in the same order.
  private(set) var described: [TokenKey] = []
  /// Keys of the set that are not used: they are for something else, or unfit.
  private(set) var skippedCount = 0

  /// No key: no token is accepted.
  static let none = KeyBundle(source: .nothing)

  private init(source: Source) {
    self.source = source
  }

  /// Reads a JWK Set. Keys that are unfit are skipped, all of them perhaps.
  init(keySet bytes: [UInt8], algorithms: [SignatureAlgorithm]) throws(KeySetError) {
    let set = try KeySet(parsing: bytes, algorithms: algorithms)
    self.init(source: .set(set.keys))
    skippedCount = set.skipped.count
    for key in set.keys {
      do throws(KeyError) {
        add(try VerificationKey(key), key.tokenKey)
      } catch {
        skippedCount += 1
      }
    }
  }

  /// Reads the public key of a PEM text, or of its certificate.
  init(pem bytes: [UInt8], algorithms: [SignatureAlgorithm]) throws(KeyBundleError) {
    self.init(source: .pem(bytes))
    do {
      let key = try VerificationKey(pem: bytes)
      add(key, try TokenKey(id: nil, fitting: key.algorithms, allowed: algorithms))
    } catch {
      throw .unusable("\(error)")
    }
  }

  /// Takes a shared secret.
  init(secret: [UInt8], algorithms: [SignatureAlgorithm]) throws(KeyBundleError) {
    do {
      let key = try JSONWebKey(id: nil, material: .oct(secret), allowed: algorithms)
      self.init(source: .set([key]))
      add(try VerificationKey(key), key.tokenKey)
    } catch {
      throw .unusable("\(error)")
    }
  }

  private mutating func add(_ key: VerificationKey, _ description: TokenKey) {
    keys.append(key)
    described.append(description)
  }
}

/// Why a file or an answer gives no keys.
enum KeyBundleError: Error, CustomStringConvertible {
  /// It cannot be read, or a key in it cannot be used; no word of its content is in the text.
  case unusable(String)
  /// It is a proper set, and no key in it is one that tokens may be signed with.
  case noUsableKey(allowed: [SignatureAlgorithm])

  var description: String {
    switch self {
    case .unusable(let reason): reason
    case .noUsableKey(let allowed): "no usable key for \(allowed.map(\.rawValue).joined(separator: ", "))"
    }
  }
}
