import EdgeCore
import Testing

@testable import EdgeTelemetry

@Suite struct `Log lines` {
  @Test func `a JSON line has the fields in order`() {
    #expect(
      example(.json) == #"""
        {"timestamp":"2026-01-31T23:59:59.123Z","level":"info","message":"connection closed","event.name":"connection.closed",\#
        "conn.id":"0000000000000001","close.code":1001,"duration_s":1.5,"origin":"https://example.com"}

        """#)
  }

  @Test func `a text line reads from left to right`() {
    #expect(
      example(.text) == """
        2026-01-31T23:59:59.123Z INFO  connection closed event.name=connection.closed conn.id=0000000000000001 close.code=1001 \
        duration_s=1.5 origin=https://example.com

        """)
  }

  @Test(arguments: LogLevel.allCases)
  func `every level is as wide as any in a text line`(level: LogLevel) {
    let text = LogLine(level, "x", "m", at: WallTime(seconds: 0), as: .text).text()
    let word = level.rawValue.uppercased()
    #expect(text == "1970-01-01T00:00:00.000Z \(word)\(String(repeating: " ", count: 6 - word.utf8.count))m event.name=x\n")
  }

  @Test(arguments: [
    ("\u{0}\u{1b}[31m\u{7f}\r\n\t", #"\u0000\u001b[31m\u007f\r\n\t"#), (#"a"b\c"#, #"a\"b\\c"#),
    ("\u{9b}2J\u{85}", #"\u009b2J\u0085"#), ("\u{2028}\u{202e}\u{2066}\u{feff}", #"\u2028\u202e\u2066\ufeff"#),
    ("Zoë 🎈", "Zoë 🎈"),
  ])
  func `nothing a client sends can end the line or steer a terminal`(sent: String, shown: String) throws {
    for format in LogFormat.allCases {
      var line = LogLine(.warning, "connection.denied", sent, at: WallTime(seconds: 0), as: format)
      line.add(.origin, sent)
      let text = line.text()
      #expect(text.utf8.count { $0 == 0x0a } == 1)
      guard format == .json else { continue }
      #expect(text.contains(#""message":"\#(shown)""#))
      #expect(text.contains(#""origin":"\#(shown)""#))
      #expect(try JSON(parsing: Array(text.utf8))["origin"]?.stringValue == sent)
    }
  }

  @Test func `a text value that could be taken for a field is quoted`() {
    let text = line(.text) { line in
      line.add(.userID, "alice route=admin")
      line.add(.origin, "")
    }
    #expect(text.hasSuffix(" user.id=\"alice route=admin\" origin=\"\"\n"))
  }

  @Test(arguments: ["/ws?token=secret#more", "/ws#secret", "/ws?\u{301}token=secret"])
  func `a query never reaches a log`(target: String) {
    for format in LogFormat.allCases {
      let text = line(format) { $0.add(.urlPath, target) }
      #expect(!text.contains("secret"))
      #expect(text.contains("/ws"))
    }
  }

  @Test func `a long text is cut at a whole character`() {
    let text = line(.json) { $0.add(.origin, String(repeating: "é", count: 100_000)) }
    #expect(text.utf8.count < LogLine.maxTextBytes + 200)
    #expect(text.contains(#"é…""#))
  }

  @Test(arguments: ["a", "é", "€", "🎈"])
  func `a text is cut behind the last character that fits`(last: String) {
    let plain = String(repeating: "a", count: LogLine.maxTextBytes)
    for missing in 0...last.utf8.count {
      let head = String(plain.dropLast(missing))
      let text = line(.json) { $0.add(.origin, head + last + "b") }
      let shown = missing < last.utf8.count ? head : missing == last.utf8.count ? head + last : ""
      #expect(text.hasSuffix("\"origin\":\"\(shown)…\"}\n"))
    }
  }

  @Test(arguments: [(1_024, false), (1_025, true)])
  func `a plain text is cut only past the limit`(bytes: Int, isCut: Bool) {
    let text = line(.json) { $0.add(.origin, String(repeating: "a", count: bytes)) }
    let shown = String(repeating: "a", count: LogLine.maxTextBytes) + (isCut ? "…" : "")
    #expect(text.hasSuffix("\"origin\":\"\(shown)\"}\n"))
  }

  @Test(arguments: [0, 9, 10, -1, 1_000, .max, .min] as [Int64])
  func `whole numbers are in decimal`(number: Int64) {
    #expect(line(.json) { $0.add(.bytesIn, number) }.hasSuffix(",\"bytes_in\":\(number)}\n"))
    #expect(line(.text) { $0.add(.bytesIn, number) }.hasSuffix(" bytes_in=\(number)\n"))
  }

  @Test func `a number that JSON's readers may not hold is the largest that they do`() {
    #expect(line(.json) { $0.add(.bytesIn, UInt64.max) }.hasSuffix(",\"bytes_in\":\(Int64.max)}\n"))
  }

  @Test(arguments: [0, 1, 10, 100, 999, 1_000, 1_020, 1_500, 86_400_001, 9_223_372_036_854, -1, -1_500] as [Int64])
  func `seconds are as a floating-point number has them`(milliseconds: Int64) {
    for rest in [0, 999_999] as [Int64] {
      let duration = Duration.milliseconds(milliseconds) + .nanoseconds(milliseconds < 0 ? -rest : rest)
      for format in LogFormat.allCases {
        let text = line(format) { $0.add(.duration, duration) }
        let shown = (Double(milliseconds) / 1_000).description
        #expect(text.hasSuffix(format == .json ? "\"duration_s\":\(shown)}\n" : " duration_s=\(shown)\n"))
      }
    }
  }

  @Test(arguments: 0..<0x100 as Range<UInt32>)
  func `every ASCII and Latin-1 character comes back from JSON`(value: UInt32) throws {
    let sent = String(try #require(Unicode.Scalar(value)))
    #expect(try origin(sent) == sent)
  }

  @Test(arguments: 0..<0x80 as Range<UInt32>)
  func `what needs an escape is found wherever it stands`(value: UInt32) throws {
    let scalar = Character(try #require(Unicode.Scalar(value)))
    for count in 1...17 {
      for place in 0..<count {
        var sent = Array(repeating: Character("~"), count: count)
        sent[place] = scalar
        #expect(try origin(String(sent)) == String(sent))
      }
    }
  }

  @Test func `characters of every length come back wherever they stand`() throws {
    for scalar in ["\u{80}", "\u{7ff}", "\u{800}", "\u{ffff}", "\u{10000}", "\u{10ffff}", "\u{200f}", "\n", "\""] {
      for place in 0...9 {
        let sent = String(repeating: "~", count: place) + scalar + String(repeating: "~", count: 9 - place) + scalar + scalar
        #expect(try origin(sent) == sent)
      }
    }
  }

  @Test func `beyond ASCII, only what steers a terminal is escaped`() {
    let steering: [ClosedRange<UInt32>] = [
      0x80...0x9f, 0x61c...0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff...0xfeff,
    ]
    let escaped = (0x80...0x1ffff as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init).filter { scalar in
      var line = LineBuffer(capacity: 8)
      line.appendEscaped(String(scalar))
      return line.withBytes { $0.count != UTF8.width(scalar) }
    }
    #expect(escaped.map(\.value) == steering.flatMap { $0 })
  }

  @Test(arguments: ["192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::"])
  func `addresses and identifiers are as their descriptions have them`(text: String) throws {
    let address = try #require(IPAddress(text))
    let id = ConnectionID(reactor: 3, serial: 0xabc)
    for peer in [PeerAddress.ip(address, port: 0), .ip(address, port: 65_535), .unix] {
      for format in LogFormat.allCases {
        let direct = line(format) { line in
          line.add(.clientAddress, address)
          line.add(.peerAddress, peer)
          line.add(.connectionID, id)
          line.add(.traceID, high: 0x0123_4567_89ab_cdef, low: 1)
        }
        let spelled = line(format) { line in
          line.add(.clientAddress, "\(address)")
          line.add(.peerAddress, "\(peer)")
          line.add(.connectionID, "\(id)")
          line.add(.traceID, "0123456789abcdef0000000000000001")
        }
        #expect(direct == spelled)
      }
    }
  }

  @Test func `a line grows as long as it must`() {
    let names: [LogField] = [.origin, .userID, .route, .listener, .pool, .worker, .outcome, .errorType]
    let long = String(repeating: "a", count: LogLine.maxTextBytes)
    let text = line(.json) { line in for name in names { line.add(name, long) } }
    #expect(text.split(separator: long, omittingEmptySubsequences: false).count == names.count + 1)
  }

  @Test func `levels are ordered by weight`() {
    #expect(LogLevel.allCases == LogLevel.allCases.sorted())
    #expect(LogLevel(rawValue: "warn") == .warning)
  }

  private func example(_ format: LogFormat) -> String {
    var line = LogLine(
      .info, "connection.closed", "connection closed", at: WallTime(nanoseconds: 1_769_903_999_123_999_999), as: format)
    line.add(.connectionID, ConnectionID(reactor: 0, serial: 1))
    line.add(.closeCode, 1001)
    line.add(.duration, .milliseconds(1_500))
    line.add(.origin, "https://example.com")
    return line.text()
  }

  private func line(_ format: LogFormat, _ fill: (inout LogLine) -> Void) -> String {
    var line = LogLine(.info, "x", "m", at: WallTime(seconds: 0), as: format)
    fill(&line)
    return line.text()
  }

  /// What a reader of JSON has of an origin.
  private func origin(_ sent: String) throws -> String? {
    try JSON(parsing: Array(line(.json) { $0.add(.origin, sent) }.utf8))["origin"]?.stringValue
  }
}

extension LogLine {
  fileprivate consuming func text() -> String { String(decoding: bytes(), as: UTF8.self) }
}
