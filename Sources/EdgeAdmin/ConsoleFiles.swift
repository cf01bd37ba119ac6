internal import CAssets
internal import EdgeCore

/// The files of the console, which are embedded in the program: `Sources/CAssets/console`.
enum ConsoleFiles {
  /// One file, ready to be sent.
  struct File: Sendable {
    let type: String
    let bytes: [UInt8]
    /// A strong entity tag: it changes with the content (RFC 9110 §8.8.3).
    let entityTag: String
  }

  /// The files by name; the empty name is the page itself.
  static let files: [String: File] = {
    var files: [String: File] = [:]
    for index in 0..<console_file_count() {
      let file = unsafe console_file_at(index)
      let bytes = unsafe Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
      let tag = "\"\(Hexadecimal.text(fingerprint(of: bytes)))\""
      unsafe files[String(cString: file.name)] = File(type: String(cString: file.type), bytes: bytes, entityTag: tag)
    }
    return files
  }()
}

extension ConsoleFiles.File {
  /// The answer to a GET or HEAD: the file, or 304 for a browser that has it.
  func answer(to request: AdminRequest) -> AdminResponse {
    let known = request.values(of: "If-None-Match").joined(separator: ",").split(separator: ",").map { $0.drop { $0 == " " } }
    let isKnown = known.contains { $0 == entityTag || $0 == "W/\(entityTag)" }
    let answer = AdminResponse(status: isKnown ? 304 : 200, type: type, body: isKnown ? [] : bytes)
    return answer.with("ETag", entityTag)
      .with("Cache-Control", "no-cache")
      .with("Content-Security-Policy", contentSecurityPolicy)
      .with("Referrer-Policy", "same-origin")
      .with("Cross-Origin-Opener-Policy", "same-origin")
  }
}

/// FNV-1a of 64 bits: enough to tell builds apart.
private func fingerprint(of bytes: [UInt8]) -> UInt64 {
  bytes.reduce(0xcbf2_9ce4_8422_2325) { hash, byte in (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
}

/// Nothing but the console's own files and the API beside them; no inline script or style, no form, no frame around it.
private let contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
  + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
