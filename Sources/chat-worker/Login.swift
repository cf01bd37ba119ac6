import ArgumentParser
import ChatCore
import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS

/// The demo's identity provider: it believes any name. Never part of a deployment that means its names.
struct Login {
  let key: SigningKey
  let keyID: String?
  let issuer: String?
  let audience: [String]
  let lifetime: Duration

  /// Answers POST `{"name":…}` with a token, which is also set as the cookie that the edge takes on `/ws`.
  ///
  /// The content type must be JSON: another site's form cannot send that without asking first.
  func answer(to request: RequestHead, body: [UInt8], now: WallTime) -> HTTPAnswer {
    let type = request.fields["Content-Type"]?.prefix { $0 != ";" }.filter { $0 != " " } ?? ""
    guard ASCII.equalIgnoringCase(type, "application/json") else {
      return .error(415, code: "not_json", message: "send application/json")
    }
    guard let json = try? JSON(parsing: body), let given = json["name"]?.stringValue else {
      return .error(400, code: "invalid_field", field: "name", message: "must be a string")
    }
    guard let name = UserName(login: given) else {
      return .error(422, code: "invalid_field", field: "name", message: loginNameRule)
    }
    guard let token = try? token(for: name, now: now) else {
      return .error(500, code: "signing_failed", message: "the token could not be signed")
    }
    let seconds = Int(lifetime.inSeconds)
    let cookie = "session=\(token); HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=\(seconds)"
    let expires = (now.seconds + Int64(seconds)) * 1_000
    return .json(
      ["token": .string(token), "user": .string(name.text), "expiresAt": .integer(expires)], status: 200,
      fields: ["Set-Cookie": cookie])
  }

  private func token(for name: UserName, now: WallTime) throws(KeyError) -> String {
    let draft = TokenDraft(
      algorithm: key.algorithm, keyID: keyID, subject: name.text, issuedAt: now, lifetime: lifetime, issuer: issuer,
      audience: audience)
    return draft.token(signature: try key.sign(draft.signingInput))
  }
}

/// The options of the demo's login.
struct LoginOptions: ParsableArguments {
  @Option(help: "PEM file of the EC key that signs tokens for ANY name at /login. Demo only; absent: /login is off.")
  var loginKey: String?

  @Option(help: "The key's name, for the token's kid.")
  var keyID: String?

  @Option(help: "The tokens' iss.")
  var issuer: String?

  @Option(help: "The tokens' aud; may be repeated.")
  var audience: [String] = []

  @Option(help: "How many seconds the tokens last.")
  var tokenLifetime = 43_200

  func validate() throws {
    guard (1...maxTokenLifetime).contains(tokenLifetime) else {
      throw ValidationError("--token-lifetime must be 1 to \(maxTokenLifetime) seconds")
    }
  }

  /// The login, or nil where it is off.
  ///
  /// - Throws: exit code 78 for a key that cannot be used.
  func makeLogin(log: WorkerLog) throws(ExitCode) -> Login? {
    guard let loginKey else { return nil }
    let reason: String
    do {
      let pem = try FileSystem.readFile(loginKey, maxBytes: maxKeyFileBytes)
      let key = try SigningKey(pem: pem, algorithm: .es256)
      log.write("demo_login_on", [.init(name: "warning", value: "/login signs tokens for any name: for the demo only")])
      return Login(key: key, keyID: keyID, issuer: issuer, audience: audience, lifetime: .seconds(tokenLifetime))
    } catch {
      reason = "\(error)"
    }
    let file = JSON.Member(name: "file", value: .string(loginKey))
    log.write("login_key_unusable", [file, .init(name: "error.type", value: .string(reason))])
    throw ExitCode(78)
  }
}

extension UserName {
  /// A name that somebody types in: up to 32 letters, digits, spaces and `-_.'`, not beginning or ending with a space.
  fileprivate init?(login text: String) {
    guard (1...32).contains(text.count), text.first != " ", text.last != " ", text.unicodeScalars.allSatisfy(isLoginScalar)
    else { return nil }
    self.init(text)
  }
}

private func isLoginScalar(_ scalar: Unicode.Scalar) -> Bool {
  if scalar.properties.isAlphabetic || scalar.properties.numericType != nil { return true }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .spacingMark: return true
  case _: return " -_.'".unicodeScalars.contains(scalar)
  }
}

private let loginNameRule = "must be 1 to 32 letters, digits, spaces or -_.' and neither begin nor end with a space"
private let maxTokenLifetime = 30 * 86_400
private let maxKeyFileBytes = 64 * 1024
