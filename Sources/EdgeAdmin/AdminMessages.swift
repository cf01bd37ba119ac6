public import EdgeCore

/// One request to the admin plane, with its body read.
public struct AdminRequest: Sendable {
  /// The method, such as `GET`.
  public var method: String
  /// The request target as it came, not decoded.
  public var target: String
  /// The fields in their order.
  public var fields: [(name: String, value: String)]
  /// The body, at most `maxBodyBytes`.
  public var body: [UInt8]

  /// Makes a request.
  public init(method: String, target: String, fields: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.method = method
    self.target = target
    self.fields = fields
    self.body = body
  }

  /// The longest body that is read.
  public static let maxBodyBytes = 65_536

  /// All values of a field, names compared without regard to case.
  func values(of name: String) -> [String] {
    fields.filter { ASCII.equalIgnoringCase($0.name, name) }.map(\.value)
  }

  /// The target's path, as it came.
  var path: Substring { target.prefix { $0 != "?" } }

  /// The target's query without its question mark, as it came.
  var query: Substring { target.dropFirst(path.count).dropFirst() }
}

/// Where a request came from.
public enum AdminPeer: Equatable, Sendable, CustomStringConvertible {
  /// A Unix socket; the kernel's word for who is there, or nil if it could not tell.
  case unix(userID: UInt32?)
  /// A TCP socket.
  case tcp(PeerAddress)

  /// `unix:uid=0` or an address and port.
  public var description: String {
    switch self {
    case .unix(let userID): "unix:uid=\(userID.map { String($0) } ?? "unknown")"
    case .tcp(let address): address.description
    }
  }
}

/// An answer of the admin plane.
public struct AdminResponse: Equatable, Sendable {
  /// The status (RFC 9110 §15).
  public var status: Int
  /// The fields, beside those that every answer bears.
  public var fields: [Field]
  /// The body.
  public var body: [UInt8]
  /// Who reads the events that are sent in place of the body, if they are.
  var reader: EventReader?

  /// A field's name and value.
  public struct Field: Equatable, Sendable {
    /// The name.
    public var name: String
    /// The value.
    public var value: String
  }

  /// Whether both say the same; a stream says what no other does.
  public static func == (lhs: AdminResponse, rhs: AdminResponse) -> Bool {
    lhs.status == rhs.status && lhs.fields == rhs.fields && lhs.body == rhs.body && lhs.reader === rhs.reader
  }

  /// Makes an answer with a body of a type.
  public init(status: Int = 200, type: String, body: [UInt8]) {
    self.status = status
    fields = [Field(name: "Content-Type", value: type)]
    self.body = body
  }

  /// An answer without a body.
  init(status: Int, fields: [Field]) {
    self.status = status
    self.fields = fields
    body = []
  }

  /// An answer in JSON.
  static func json(_ value: JSON, status: Int = 200) -> AdminResponse {
    AdminResponse(status: status, type: "application/json", body: value.encoded() + [0x0a])
  }

  /// An answer whose body is a stream of events (HTML Living Standard §9.2).
  static func stream(_ reader: EventReader?) -> AdminResponse {
    var answer = AdminResponse(type: "text/event-stream", body: [])
    answer.reader = reader
    return answer
  }

  /// The same with one more field.
  func with(_ name: String, _ value: String) -> AdminResponse {
    var copy = self
    copy.fields.append(Field(name: name, value: value))
    return copy
  }

  /// An answer of one line, for probes.
  static func text(_ status: Int, _ line: String) -> AdminResponse {
    AdminResponse(status: status, type: "text/plain; charset=utf-8", body: Array("\(line)\n".utf8))
  }
}

/// Why a request was refused, as `application/problem+json` (RFC 9457).
struct AdminProblem: Error, Equatable {
  let status: Int
  /// The machine word, in the member `error`.
  let word: String
  /// One sentence for the person who asked, saying what to do.
  let detail: String
  private(set) var fields: [AdminResponse.Field] = []
  /// The member of the body that is wrong, in the member `field`.
  private(set) var member: String?
  /// What is wrong with a configuration, in the member `errors`.
  let flaws: [ConfigurationFlaw]

  init(_ status: Int, _ word: String, _ detail: String, flaws: [ConfigurationFlaw] = []) {
    self.status = status
    self.word = word
    self.detail = detail
    self.flaws = flaws
  }

  /// The same with one more field in the answer.
  func with(_ name: String, _ value: String) -> AdminProblem {
    var copy = self
    copy.fields.append(.init(name: name, value: value))
    return copy
  }

  /// The same with the name of the member that is wrong; empty is none.
  func about(_ member: String) -> AdminProblem {
    var copy = self
    copy.member = member.isEmpty ? nil : member
    return copy
  }

  var response: AdminResponse {
    var problem: [JSON.Member] = [
      .init(name: "type", value: "about:blank"), .init(name: "title", value: .string(title)),
      .init(name: "status", value: .integer(Int64(status))), .init(name: "error", value: .string(word)),
      .init(name: "detail", value: .string(detail)),
    ]
    if !flaws.isEmpty { problem.append(.init(name: "errors", value: .array(flaws.map(\.json)))) }
    if let member { problem.append(.init(name: "field", value: .string(member))) }
    var response = AdminResponse(
      status: status, type: "application/problem+json", body: JSON.object(problem).encoded() + [0x0a])
    response.fields += fields
    return response
  }

  private var title: String {
    switch status {
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 409: "Conflict"
    case 411: "Length Required"
    case 413: "Content Too Large"
    case 415: "Unsupported Media Type"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 503: "Service Unavailable"
    default: "Error"
    }
  }
}
