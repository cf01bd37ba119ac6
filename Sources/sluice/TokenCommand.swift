public import ArgumentParser
public import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeTLS

/// `sluice token`: mints a token, for development.
struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Mints a signed token and prints it, for development.")

  @Option(help: "The private key as PEM, or the secret for HS256, HS384 and HS512.")
  var key: String

  @Option(help: "How it is signed.")
  var alg: SignatureAlgorithm = .es256

  @Option(help: "The user: the claim `sub`.")
  var sub: String

  @Option(help: "How long it is good for: 30s, 5m, 1h, 1d.")
  var exp: LifetimeArgument = LifetimeArgument(duration: .seconds(3600))

  @Option(help: "The claim `iss`.")
  var iss: String?

  @Option(help: "The claim `aud`; may be repeated.")
  var aud: [String] = []

  @Option(help: "The name of the key: `kid` of the header.")
  var kid: String?

  @Option(help: ArgumentHelp("A further claim; the value is JSON, or else text.", valueName: "name=value"))
  var claim: [ClaimArgument] = []

  func run() throws {
    let signer: SigningKey
    do {
      let bytes = try FileSystem.readFile(key, maxBytes: 1 << 16)
      signer = alg.isSymmetric ? try SigningKey(secret: bytes, algorithm: alg) : try SigningKey(pem: bytes, algorithm: alg)
    } catch {
      throw ExitCode.configuration.saying("\(key): \(error); expected a private key for \(alg.rawValue)")
    }
    let draft = TokenDraft(
      algorithm: alg, keyID: kid, subject: sub, issuedAt: WallClock.now(), lifetime: exp.duration, issuer: iss, audience: aud,
      more: claim.map(\.member))
    do {
      StandardStreams.writeOutput(draft.token(signature: try signer.sign(draft.signingInput)) + "\n")
    } catch {
      throw ExitCode.failure.saying("the token cannot be signed: \(error)")
    }
  }
}

extension SignatureAlgorithm: ExpressibleByArgument {}

/// A duration on the command line.
struct LifetimeArgument: ExpressibleByArgument {
  let duration: Duration

  init(duration: Duration) {
    self.duration = duration
  }

  init?(argument: String) {
    guard let duration = Duration(setting: argument) else { return nil }
    self.duration = duration
  }

  var defaultValueDescription: String { duration.settingText }
}

/// `name=value` on the command line.
struct ClaimArgument: ExpressibleByArgument {
  let member: JSON.Member

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return nil }
    let text = String(parts[1])
    member = JSON.Member(name: String(parts[0]), value: (try? JSON(parsing: Array(text.utf8))) ?? .string(text))
  }
}
