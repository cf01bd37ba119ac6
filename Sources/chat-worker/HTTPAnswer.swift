import EdgeCore
import EdgeHTTP

/// What a request is answered with.
struct HTTPAnswer {
  var status: Int
  var fields: HTTPFields = [:]
  var body: [UInt8] = []

  /// An answer in JSON that nobody keeps.
  static func json(_ value: JSON, status: Int, fields: HTTPFields = [:]) -> HTTPAnswer {
    var fields = fields
    fields.add("Content-Type", "application/json")
    fields.add("Cache-Control", "no-store")
    fields.add("X-Content-Type-Options", "nosniff")
    return HTTPAnswer(status: status, fields: fields, body: value.encoded())
  }

  /// An error in JSON: a word for machines, the field it is about, and a sentence.
  static func error(
    _ status: Int, code: String, field: String? = nil, message: String, fields: HTTPFields = [:]
  ) -> HTTPAnswer {
    let error: JSON = ["code": .string(code), "field": field.map { .string($0) } ?? .null, "message": .string(message)]
    return json(["error": error], status: status, fields: fields)
  }

  /// The bytes of the whole answer.
  ///
  /// - Parameters:
  ///   - request: what is answered; nil when it could not be read.
  ///   - keepsConnection: false adds `Connection: close`.
  func serialized(answering request: RequestHead?, keepsConnection: Bool, now: WallTime) -> [UInt8] {
    var head = ResponseHead(status: status, fields: fields)
    head.fields.add("Date", HTTPDate.text(now))
    if status != 304 { head.fields.add("Content-Length", String(body.count)) }
    if !keepsConnection {
      head.fields.add("Connection", "close")
    } else if request?.version == .http10 {
      head.fields.add("Connection", "keep-alive")
    }
    var bytes: [UInt8] = []
    head.serialize(into: &bytes)
    return request?.method == "HEAD" || status == 304 ? bytes : bytes + body
  }
}
