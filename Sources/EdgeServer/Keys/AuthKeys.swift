import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeTLS

/// The keys of one `auth`, and where they come from.
final class AuthKeys: Sendable {
  let settings: Configuration.Auth
  let ring: KeyRing
  let upkeep: Upkeep

  /// What keeps the ring up to date.
  enum Upkeep {
    /// A watch on a file. `seen` is what it was when it was read.
    case file(KeyFile, seen: FileStatus?)
    /// A thread that fetches.
    case provider(KeyFetcher)
  }

  private init(settings: Configuration.Auth, ring: KeyRing, upkeep: Upkeep) {
    self.settings = settings
    self.ring = ring
    self.upkeep = upkeep
  }

  /// The keys of every `auth`, by its name. Reads every file, and fetches nothing.
  ///
  /// - Parameter previous: what is in use; where the settings are the same, it stays in use.
  /// - Throws: `StartError.configuration` when a file cannot be used.
  static func all(
    of configuration: Configuration, keeping previous: [String: AuthKeys], now: Instant
  ) throws(StartError) -> [String: AuthKeys] {
    var all: [String: AuthKeys] = [:]
    for (name, settings) in configuration.auth {
      if let kept = previous[name], kept.settings == settings {
        all[name] = kept
      } else {
        all[name] = try AuthKeys(name, settings, now: now)
      }
    }
    return all
  }

  private convenience init(_ name: String, _ settings: Configuration.Auth, now: Instant) throws(StartError) {
    let requirements = TokenRequirements(settings)
    switch settings.keys {
    case .file(let path): try self.init(name, settings, KeyFile(path: path, content: .publicKeys), requirements)
    case .secretFile(let path): try self.init(name, settings, KeyFile(path: path, content: .secret), requirements)
    case .url(let source):
      if let file = source.caFile { try checkAuthorities(file, auth: name) }
      let ring = KeyRing(auth: name, requirements: requirements)
      do {
        self.init(settings: settings, ring: ring, upkeep: .provider(try KeyFetcher(source, ring: ring, now: now)))
      } catch {
        throw .system("\(error)")
      }
    }
  }

  private convenience init(
    _ name: String, _ settings: Configuration.Auth, _ file: KeyFile, _ requirements: TokenRequirements
  ) throws(StartError) {
    // Before it is read: a change meanwhile is seen the next time.
    let seen = FileSystem.status(of: file.path)
    let keys = try file.load(for: name, algorithms: requirements.algorithms)
    self.init(
      settings: settings, ring: KeyRing(auth: name, requirements: requirements, keys: keys), upkeep: .file(file, seen: seen))
  }

  /// What the file has now; nil where the keys come from elsewhere.
  ///
  /// - Throws: `StartError.configuration` when it cannot be used.
  func reread() throws(StartError) -> KeyBundle? {
    guard case .file(let file, seen: _) = upkeep else { return nil }
    return try file.load(for: ring.auth, algorithms: ring.requirements.algorithms)
  }

  /// Who fetches the keys, where an identity provider serves them.
  var fetcher: KeyFetcher? {
    if case .provider(let fetcher) = upkeep { fetcher } else { nil }
  }
}

extension KeyFile {
  fileprivate func load(for auth: String, algorithms: [SignatureAlgorithm]) throws(StartError) -> KeyBundle {
    do throws(KeyBundleError) {
      return try load(algorithms: algorithms)
    } catch {
      throw .configuration("auth \(auth): \(path): \(error)")
    }
  }
}

extension TokenRequirements {
  fileprivate init(_ auth: Configuration.Auth) {
    self.init(
      issuer: auth.issuer, audiences: auth.audience, algorithms: auth.algorithms, userClaim: auth.userClaim,
      requiredClaims: auth.requiredClaims, leeway: auth.leeway)
  }
}

private func checkAuthorities(_ file: String, auth: String) throws(StartError) {
  do {
    _ = try TLSClientContext(trust: .authorities(pem: FileSystem.readFile(file, maxBytes: CertificateSource.maxFileBytes)))
  } catch is TLSError {
    throw .configuration("auth \(auth): \(file) holds no certificates")
  } catch {
    throw .configuration("auth \(auth): \(file): \(error)")
  }
}
