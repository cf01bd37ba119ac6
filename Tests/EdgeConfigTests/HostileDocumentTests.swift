import Testing

@testable import EdgeConfig

@Suite struct `Hostile documents` {
  @Test(arguments: [
    ("a: [", "s.yaml:2:1: while parsing a flow node, did not find expected node content; expected YAML or JSON"),
    ("a: b: c", "s.yaml:1:5: mapping values are not allowed in this context; expected YAML or JSON"),
    (
      "a: 1\n\tb: 2",
      "s.yaml:2:1: while scanning a plain scalar, found a tab character that violates indentation; expected YAML or JSON"
    ),
    ("a: \"x", "s.yaml:1:6: while scanning a quoted scalar, found unexpected end of stream; expected YAML or JSON"),
    ("a: \u{0}", "s.yaml:1:4: control characters are not allowed; expected YAML or JSON"),
    ("é: 1\nb: \u{7}", "s.yaml:2:4: control characters are not allowed; expected YAML or JSON"),
    ("log: {}\nlog: {}", "s.yaml:1:1: the key \"log\" is written twice; expected each key once in a mapping"),
    (
      "a: 1\n---\nb: 2", "s.yaml:2:1: expected a single document in the stream, but found another document; expected YAML or JSON"
    ),
    (
      "a: &x 1",
      "s.yaml:1:4: an anchor or alias is used; expected the value written out, or a text that begins with & or * in quotes"
    ),
    (
      "a: *x",
      "s.yaml:1:4: an anchor or alias is used; expected the value written out, or a text that begins with & or * in quotes"
    ),
    ("? [a]\n: b", "s.yaml:1:1: a key is marked with \"?\"; expected a name and a colon"),
    (
      "a: [::]:8443", "s.yaml:1:8: a list or mapping stands before a colon; expected a name there, or quotes around \"[::]:8443\""
    ),
    ("!secret a: 1", "s.yaml:1:1: the tag \"!secret\" means nothing here; expected a value without a tag"),
    ("- a", "s.yaml:1:1: a list is not allowed here; expected a mapping"),
    ("text", "s.yaml:1:1: \"text\" is not allowed here; expected a mapping"),
  ])
  func `what is no plain YAML is told with its place`(text: String, message: String) {
    #expect(errors(in: text).first == message)
  }

  @Test func `nesting is bounded in every style`() {
    for count in [33, 1000, 100_000] {
      for text in [
        String(repeating: "[", count: count), String(repeating: "{a: ", count: count), String(repeating: "[a: ", count: count),
        String(repeating: "- ", count: count), String(repeating: "a: [\"]\", ", count: count),
        (0..<min(count, 700)).map { String(repeating: " ", count: $0) + "a:\n" }.joined() + String(repeating: "[", count: 40),
      ] {
        #expect(!errors(in: text).isEmpty)
      }
    }
  }

  @Test(arguments: [
    "a", "? ", "- ", "a: ", "!x ", "\"", "'", "#", "|\n", "%", "\u{feff}", "\r", "{a: 1}", "a: 'b''c'\n", "---\n",
  ])
  func `a megabyte of anything is read or refused`(unit: String) {
    _ = errors(in: String(repeating: unit, count: 1_048_576 / unit.utf8.count))
    let text = "#" + String(repeating: unit, count: 1_048_576)
    #expect(errors(in: text) == ["s.yaml:1:1: the file has \(text.utf8.count) bytes; expected at most 1048576"])
  }

  @Test func `a bomb of aliases is refused before it is read`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<20 {
      text += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
    }
    #expect(errors(in: text).first?.hasPrefix("s.yaml:1:5: an anchor or alias is used") == true)
    #expect(errors(in: "x: |\n  text\ny: &a 1").first?.hasPrefix("s.yaml:3:4: an anchor") == true)
    #expect(errors(in: "x: 'it''s # not a comment' # &comment\n? y").first?.hasPrefix("s.yaml:2:1: a key is marked") == true)
  }

  @Test(arguments: ["a: x\n  \"y\nb: &b 1", "a:\n    x\n  'y\nb: *b", "- x\n\n  'y\n- &b 1", "[x\n\"y, &b 1]", "--- x\n'y\n&b"])
  func `a text cannot hide what follows behind a quote`(text: String) {
    #expect(errors(in: text).first?.contains("a text goes on with a quote") == true)
  }

  @Test(arguments: [
    "a: x\n'b': &b", "- a: x\n  'b': &b", "a:\n  x\n'b': &b", "a: x # y\n 'b': &b", "[x,\n'b', &b]", "a: |\n  'x\nb: &b",
  ])
  func `a quoted key or element after a text is no part of it`(text: String) {
    #expect(errors(in: text).first?.contains("anchor") == true)
  }

  @Test func `stars, ampersands and brackets in texts and comments are harmless`() {
    let text = """
      # *bold* & more [ { ?
      listeners: [{name: public, address: "127.0.0.1:8443"}] # [
      pools:
        chat: {workers: [/run/*.sock, '/run/&[.sock', "/run/\\"*x", /run/it's]} # "
      routes:
      - name: chat
        pool: chat
        match:
          path: >-
            /ws
        origins: ["https://*.example.com"]
        auth: null
      state_dir: |-
        /var/&x *y [
      """
    #expect(errors(in: text) == [])
  }

  @Test func `every beginning and every broken byte of a document is read or refused`() {
    let scalars = Array(everything.unicodeScalars)
    for end in stride(from: 0, to: scalars.count, by: 29) {
      var prefix = String.UnicodeScalarView()
      prefix.append(contentsOf: scalars[..<end])
      _ = errors(in: String(prefix))
      var broken = scalars
      broken[end] = ["\"", "[", "}", ":", "\u{0}", "&", "|", "\n", "-", "\u{fffd}", "$"][end % 11]
      var text = String.UnicodeScalarView()
      text.append(contentsOf: broken)
      _ = errors(in: String(text))
    }
  }

  @Test func `thousands of unknown keys do not make thousands of errors`() {
    let text = (0..<20_000).map { "key\($0): 1\n" }.joined() + minimal
    let found = errors(in: text)
    #expect(found.count == 51)
    #expect(found.last == "s.yaml:51:1: 19950 more unknown keys")
  }

  @Test func `control characters of a value are escaped in the error`() {
    let found = errors(in: minimal + "threads: \"\\e[31m\\u202e\"")
    #expect(
      found == [
        "s.yaml:4:10: threads: \"\\u{1B}[31m\\u{202E}\" is not allowed here; expected auto or a whole number from 1 to 1024"
      ])
  }

  @Test func `JSON, a byte order mark and CRLF are fine`() {
    #expect(errors(in: "\u{feff}" + minimal.replacing("\n", with: "\r\n")) == [])
    #expect(
      errors(
        in: """
          {"listeners":[{"name":"public","address":"127.0.0.1:8443"}],
           "pools":{"chat":{"workers":["\\/run\\/chat\\/a.sock"]}},
           "routes":[{"name":"chat","pool":"chat","check_utf8":false,"messages":null}]}
          """) == [])
  }
}
