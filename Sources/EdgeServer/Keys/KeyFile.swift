import EdgeAuth
import EdgeIO
import EdgeTelemetry

/// A file of keys.
struct KeyFile: Sendable {
  /// What is in it.
  enum Content: Sendable {
    /// A JWK Set, or a PEM text with a public key or a certificate.
    case publicKeys
    /// The bytes of a shared secret.
    case secret
  }

  let path: String
  let content: Content

  /// Reads it.
  ///
  /// - Throws: `KeyBundleError`; a file without a usable key is an error too.
  func load(algorithms: [SignatureAlgorithm]) throws(KeyBundleError) -> KeyBundle {
    do {
      let bytes = try FileSystem.readFile(path, maxBytes: maxKeyFileBytes)
      let bundle =
        switch content {
        case .secret: try KeyBundle(secret: bytes, algorithms: algorithms)
        case .publicKeys where bytes.starts(with: "-----BEGIN".utf8): try KeyBundle(pem: bytes, algorithms: algorithms)
        case .publicKeys: try KeyBundle(keySet: bytes, algorithms: algorithms)
        }
      guard !bundle.keys.isEmpty else { throw KeyBundleError.noUsableKey(allowed: algorithms) }
      return bundle
    } catch let error as KeyBundleError {
      throw error
    } catch {
      throw .unusable("\(error)")
    }
  }
}

/// Looks whether a file of keys has changed, and gives its ring what is in it then. A file that cannot be used leaves the keys
/// as they are.
final class KeyFileWatch {
  let ring: KeyRing
  private let file: KeyFile
  /// The file as it was when it was read last, whatever came of that.
  private var seen: FileStatus?

  /// Watches a file whose keys the ring has, as of when the file was as `seen`.
  init(_ file: KeyFile, ring: KeyRing, seen: FileStatus?) {
    self.file = file
    self.ring = ring
    self.seen = seen
  }

  /// Looks once.
  func poll(log: EdgeLog) {
    let status = FileSystem.status(of: file.path)
    guard status != seen else { return }
    seen = status
    do throws(KeyBundleError) {
      let keys = try file.load(algorithms: ring.requirements.algorithms)
      ring.replace(with: keys)
      log.keysReloaded(keys, ring: ring, source: file.path)
    } catch {
      log.write(.warning, "keys.reload_failed", "A key file has changed and cannot be used; the keys stay as they were.") {
        line in
        line.add(.auth, ring.auth)
        line.add(.keySource, file.path)
        line.add(.errorType, "\(error)")
      }
    }
  }
}

extension EdgeLog {
  /// Keys have been read that may be others than before.
  func keysReloaded(_ keys: KeyBundle, ring: KeyRing, source: String) {
    write(keys.keys.isEmpty ? .warning : .info, "keys.reloaded", "Tokens are checked with these keys from now on.") { line in
      line.add(.auth, ring.auth)
      line.add(.keySource, source)
      line.add(.keysUsed, keys.keys.count)
      line.add(.keysSkipped, keys.skippedCount)
    }
  }
}

private let maxKeyFileBytes = 1 << 20
