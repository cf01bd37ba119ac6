import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeTLS

/// The keys of every `auth`, and what keeps them up to date: watches of files, and fetchers with threads. For the main thread.
final class KeySources {
  /// The ring of each `auth`, by its name.
  private(set) var rings: [String: KeyRing] = [:]
  /// The fetcher of each `auth` whose keys come from an identity provider.
  private(set) var fetchers: [String: KeyFetcher] = [:]
  private var files: [KeyFileWatch] = []
  private var threads: [PlatformThread] = []

  /// Reads every file; fetches nothing.
  ///
  /// - Throws: `StartError.configuration` when a file cannot be used.
  init(_ configuration: Configuration, now: Instant) throws(StartError) {
    for (name, auth) in configuration.auth {
      let ring = KeyRing(auth: name, requirements: TokenRequirements(auth))
      rings[name] = ring
      switch auth.keys {
      case .file(let path): try watch(KeyFile(path: path, content: .publicKeys), for: ring)
      case .secretFile(let path): try watch(KeyFile(path: path, content: .secret), for: ring)
      case .url(let source): try fetch(source, for: ring, now: now)
      }
    }
  }

  /// Begins to fetch, and waits until each provider has answered, or has had its time: who asks, not the clients that come
  /// first, should find out that one is down.
  func startFetching(log: EdgeLog) throws {
    let attempts = try Answers<Void>()
    for fetcher in fetchers.values { threads.append(try fetcher.start(log: log) { attempts.add(()) }) }
    guard !fetchers.isEmpty else { return }
    _ = try? attempts.wait(for: fetchers.count, patience: .seconds(15))
  }

  /// Looks at the files. Call it once a second.
  func pollFiles(log: EdgeLog) {
    for file in files { file.poll(log: log) }
  }

  /// Ends the threads.
  func stop() {
    for fetcher in fetchers.values { fetcher.stop() }
    for thread in threads { thread.join() }
  }

  private func watch(_ file: KeyFile, for ring: KeyRing) throws(StartError) {
    do throws(KeyBundleError) {
      files.append(try KeyFileWatch(file, ring: ring))
    } catch {
      throw .configuration("auth \(ring.auth): \(file.path): \(error)")
    }
  }

  private func fetch(_ source: Configuration.RemoteKeys, for ring: KeyRing, now: Instant) throws(StartError) {
    if let file = source.caFile { try checkAuthorities(file, of: ring) }
    do {
      fetchers[ring.auth] = try KeyFetcher(source, ring: ring, now: now)
    } catch {
      throw .system("\(error)")
    }
  }

  private func checkAuthorities(_ file: String, of ring: KeyRing) throws(StartError) {
    do {
      _ = try TLSClientContext(trust: .authorities(pem: FileSystem.readFile(file, maxBytes: CertificateSource.maxFileBytes)))
    } catch is TLSError {
      throw .configuration("auth \(ring.auth): \(file) holds no certificates")
    } catch {
      throw .configuration("auth \(ring.auth): \(file): \(error)")
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
