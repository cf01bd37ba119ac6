import CAssets
import EdgeCore
import EdgeHTTP
import EdgeTLS

/// The files of the page, as they are embedded in the program.
struct PageFiles {
  /// One file, ready to be sent.
  struct File {
    let type: String
    let bytes: [UInt8]
    /// A strong entity tag: it changes with the content (RFC 9110 §8.8.3).
    let entityTag: String
  }

  /// The files by path.
  let files: [String: File]

  init() {
    var files: [String: File] = [:]
    for index in 0..<chat_page_file_count() {
      let file = unsafe chat_page_file_at(index)
      let bytes = unsafe Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
      let tag = Hexadecimal.text(Digest.sha256(bytes).prefix(12))
      unsafe files[String(cString: file.path)] = File(type: String(cString: file.type), bytes: bytes, entityTag: "\"\(tag)\"")
    }
    self.files = files
  }
}

extension PageFiles.File {
  /// The answer to a GET or HEAD: the file, or 304 for a browser that has it.
  func answer(to request: RequestHead) -> HTTPAnswer {
    var fields: HTTPFields = [
      "Cache-Control": "no-cache", "ETag": entityTag, "Content-Security-Policy": contentSecurityPolicy,
      "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
    ]
    if request.fields.elements(of: "If-None-Match").contains(where: { $0 == entityTag || $0 == "W/\(entityTag)" }) {
      return HTTPAnswer(status: 304, fields: fields)
    }
    fields.add("Content-Type", type)
    return HTTPAnswer(status: 200, fields: fields, body: bytes)
  }
}

/// Nothing but the page's own files; no inline script, no frame around it.
private let contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
  + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
