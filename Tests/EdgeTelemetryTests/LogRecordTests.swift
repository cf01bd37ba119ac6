import EdgeCore
import Testing

@testable import EdgeTelemetry

@Suite struct `Log lines` {
  @Test func `a JSON line has the fields in order`() {
    #expect(
      text(example, .json) == #"""
        {"timestamp":"2026-01-31T23:59:59.123Z","level":"info","message":"connection closed","event.name":"connection.closed",\#
        "conn.id":"0000000000000001","close.code":1001,"duration_s":1.5,"dropped":null,"tls":true}

        """#)
  }

  @Test func `a text line reads from left to right`() {
    #expect(
      text(example, .text) == """
        2026-01-31T23:59:59.123Z INFO  connection closed event.name=connection.closed conn.id=0000000000000001 close.code=1001 \
        duration_s=1.5 dropped=nan tls=true

        """)
  }

  @Test(arguments: [
    ("\u{0}\u{1b}[31m\u{7f}\r\n\t", #"\u0000\u001b[31m\u007f\r\n\t"#), (#"a"b\c"#, #"a\"b\\c"#),
    ("\u{9b}2J\u{85}", #"\u009b2J\u0085"#), ("\u{2028}\u{202e}\u{2066}\u{feff}", #"\u2028\u202e\u2066\ufeff"#),
    ("Zoë 🎈", "Zoë 🎈"),
  ])
  func `nothing a client sends can end the line or steer a terminal`(sent: String, shown: String) throws {
    var record = LogRecord(.warning, "connection.denied", sent, at: WallTime(seconds: 0))
    record[.origin] = .text(sent)
    let json = text(record, .json)
    #expect(json.contains(#""message":"\#(shown)""#))
    #expect(json.contains(#""origin":"\#(shown)""#))
    for format in LogFormat.allCases { #expect(record.line(as: format).count { $0 == 0x0a } == 1) }
    let parsed = try JSON(parsing: record.line(as: .json))
    #expect(parsed["origin"]?.stringValue == sent)
  }

  @Test func `a text value that could be taken for a field is quoted`() {
    var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
    record[.userID] = "alice route=admin"
    record[.origin] = ""
    #expect(text(record, .text).hasSuffix(" user.id=\"alice route=admin\" origin=\"\"\n"))
  }

  @Test(arguments: ["/ws?token=secret#more", "/ws#secret", "/ws?\u{301}token=secret"])
  func `a query never reaches a log`(target: String) {
    var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
    record[.urlPath] = .text(target)
    for format in LogFormat.allCases {
      #expect(!text(record, format).contains("secret"))
      #expect(text(record, format).contains("/ws"))
    }
  }

  @Test func `a long text is cut at a whole character`() {
    var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
    record[.origin] = .text(String(repeating: "é", count: 100_000))
    let line = text(record, .json)
    #expect(line.utf8.count < LogRecord.maxTextBytes + 200)
    #expect(line.contains(#"é…""#))
  }

  @Test(arguments: [(1_024, false), (1_025, true)])
  func `a plain text is cut only past the limit`(bytes: Int, isCut: Bool) {
    var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
    record[.origin] = .text(String(repeating: "a", count: bytes))
    let shown = String(repeating: "a", count: LogRecord.maxTextBytes) + (isCut ? "…" : "")
    #expect(text(record, .json).hasSuffix("\"origin\":\"\(shown)\"}\n"))
  }

  @Test(arguments: [0, 9, 10, -1, 1_000, .max, .min] as [Int64])
  func `whole numbers are in decimal`(number: Int64) {
    var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
    record[.bytesIn] = .integer(number)
    #expect(text(record, .json).hasSuffix(",\"bytes_in\":\(number)}\n"))
    #expect(text(record, .text).hasSuffix(" bytes_in=\(number)\n"))
  }

  @Test(arguments: 0..<0x100 as Range<UInt32>)
  func `every ASCII and Latin-1 character comes back from JSON`(value: UInt32) throws {
    var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
    let sent = String(try #require(Unicode.Scalar(value)))
    record[.origin] = .text(sent)
    #expect(try JSON(parsing: record.line(as: .json))["origin"]?.stringValue == sent)
  }

  @Test(arguments: 0..<0x80 as Range<UInt32>)
  func `what needs an escape is found wherever it stands`(value: UInt32) throws {
    let scalar = Character(try #require(Unicode.Scalar(value)))
    for count in 1...17 {
      for place in 0..<count {
        var sent = Array(repeating: Character("~"), count: count)
        sent[place] = scalar
        var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
        record[.origin] = .text(String(sent))
        #expect(try JSON(parsing: record.line(as: .json))["origin"]?.stringValue == String(sent))
      }
    }
  }

  @Test(arguments: ["192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::"])
  func `addresses and identifiers are as their descriptions have them`(text: String) throws {
    let address = try #require(IPAddress(text))
    let id = ConnectionID(reactor: 3, serial: 0xabc)
    for peer in [PeerAddress.ip(address, port: 0), .ip(address, port: 65_535), .unix] {
      var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
      record[.clientAddress] = .address(address)
      record[.peerAddress] = .peer(peer)
      record[.connectionID] = .connection(id)
      record[.traceID] = .trace(high: 0x0123_4567_89ab_cdef, low: 1)
      var spelled = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
      spelled[.clientAddress] = "\(address)"
      spelled[.peerAddress] = "\(peer)"
      spelled[.connectionID] = "\(id)"
      spelled[.traceID] = "0123456789abcdef0000000000000001"
      for format in LogFormat.allCases { #expect(self.text(record, format) == self.text(spelled, format)) }
    }
  }

  @Test func `a line grows as long as it must`() {
    var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
    let names: [LogField] = [.origin, .userID, .route, .listener, .pool, .worker, .outcome, .errorType]
    let long = String(repeating: "a", count: LogRecord.maxTextBytes)
    for name in names { record[name] = .text(long) }
    #expect(text(record, .json).split(separator: long, omittingEmptySubsequences: false).count == names.count + 1)
  }

  @Test func `a field set twice stands once, and nil takes it away`() {
    var record = LogRecord(.info, "x", "m", at: WallTime(seconds: 0))
    record[.route] = "a"
    record[.route] = "b"
    record[.userID] = "u"
    record[.userID] = nil
    #expect(record.fields.map(\.value) == ["b"])
    #expect(record[.route] == "b")
  }

  @Test func `levels are ordered by weight`() {
    #expect(LogLevel.allCases == LogLevel.allCases.sorted())
    #expect(LogLevel(rawValue: "warn") == .warning)
  }

  private var example: LogRecord {
    var record = LogRecord(
      .info, "connection.closed", "connection closed", at: WallTime(nanoseconds: 1_769_903_999_123_999_999))
    record[.connectionID] = "\(ConnectionID(reactor: 0, serial: 1))"
    record[.closeCode] = 1001
    record[.duration] = .seconds(.milliseconds(1_500))
    record[.dropped] = .real(.nan)
    record[LogField("tls")] = .flag(true)
    return record
  }

  private func text(_ record: LogRecord, _ format: LogFormat) -> String {
    String(decoding: record.line(as: format), as: UTF8.self)
  }
}
