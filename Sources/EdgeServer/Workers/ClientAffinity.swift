import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeRouting

/// What ties the clients of a route to its workers: the `balance` of its pool.
enum ClientAffinity {
  /// Nothing does.
  case none
  /// A cookie that the edge gives them.
  case cookie(StickyCookie)
  /// Something that they have in common.
  case hash(Configuration.HashKey)

  /// Reads the file that the settings name.
  ///
  /// - Parameter pool: the one that the settings are about.
  init(_ settings: Configuration.Pool, pool: WorkerPoolState) throws(StartError) {
    switch settings.balance {
    case .any: self = .none
    case .hash(let key): self = .hash(key)
    case .cookie:
      let secret = try settings.cookieSecretFile.map { path throws(StartError) in try cookieSecret(at: path, of: pool.name) }
      self = .cookie(StickyCookie(pool: pool, secret: secret ?? processSecret))
    }
  }

  /// The worker that the sender of a request belongs to.
  func worker(for head: RequestHead, of caller: Caller) -> WorkerAffinity {
    switch self {
    case .none: .none
    case .cookie(let cookie): cookie.worker(named: head.fields.all("Cookie")).map { .worker(path: $0) } ?? .none
    case .hash(let key): key.value(of: head, caller).map { .key($0) } ?? .none
    }
  }

  /// The Set-Cookie for a client that goes to the worker at `path`; nil where it needs none.
  func cookie(for head: RequestHead, path: String, scheme: HTTPScheme) -> HTTPField? {
    switch self {
    case .none, .hash: nil
    case .cookie(let cookie):
      cookie.worker(named: head.fields.all("Cookie")) == path ? nil : cookie.field(path: path, scheme: scheme)
    }
  }

  /// Takes what is between the client and the edge alone out of a request.
  func strip(_ head: inout RequestHead) {
    if case .cookie(let cookie) = self { cookie.strip(&head) }
  }
}

extension Configuration.HashKey {
  /// Nil where the request has no such thing: then least connections decide.
  fileprivate func value(of head: RequestHead, _ caller: Caller) -> String? {
    switch self {
    case .user: caller.user.map { "\($0.auth)\u{0}\($0.subject)" }
    case .ip: caller.address?.description
    case .query(let name):
      head.target.query.flatMap { QueryText.values(of: name, in: $0).first }.flatMap { $0.isEmpty ? nil : $0 }
    }
  }
}

private func cookieSecret(at path: String, of pool: String) throws(StartError) -> [UInt8] {
  let secret: [UInt8]
  do {
    secret = try FileSystem.readFile(path, maxBytes: maxSecretBytes)
  } catch {
    throw .configuration("pools.\(pool).cookie_secret_file \(path): \(error)")
  }
  guard secret.count >= minSecretBytes else {
    throw .configuration("pools.\(pool).cookie_secret_file \(path): \(secret.count) bytes; expected at least \(minSecretBytes)")
  }
  return secret
}

private let minSecretBytes = 32
private let maxSecretBytes = 4_096
/// Makes cookies where no file is given: they hold for this process, through every reload.
private let processSecret = (0..<minSecretBytes).map { _ in UInt8.random(in: .min ... .max) }
