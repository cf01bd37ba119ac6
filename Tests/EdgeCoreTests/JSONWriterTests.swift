import EdgeCore
import Testing

@Suite struct JSONWriterTests {
  @Test(arguments: written)
  func `a value is written in its shortest form`(value: JSON, text: String) {
    #expect(String(decoding: value.encoded(), as: UTF8.self) == text)
  }

  @Test func `every control character is escaped, and comes back`() throws {
    let text = String(String.UnicodeScalarView((0...0x7f).compactMap { Unicode.Scalar(UInt8($0)) }))
    let encoded = JSON.string(text).encoded()
    #expect(encoded.allSatisfy { (0x20..<0x7f).contains($0) })
    #expect(try JSON(parsing: encoded).stringValue == text)
  }

  @Test(arguments: [0.1, -2.5e-300, 1e21, Double.leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e15, 123456.789])
  func `a finite number comes back exactly`(number: Double) throws {
    #expect(try JSON(parsing: JSON.number(number).encoded()) == .number(number))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func `a number that JSON cannot say becomes null`(number: Double) {
    #expect(JSON.number(number).encoded() == Array("null".utf8))
  }
}

private let written: [(JSON, String)] = [
  (nil, "null"), (true, "true"), (false, "false"), (0, "0"), (-12, "-12"), (.integer(.min), "-9223372036854775808"), (1.5, "1.5"),
  ("", "\"\""), ("a\"b\\c/", #""a\"b\\c/""#), ("\n\r\t\u{0}\u{1b}\u{7f}", #""\n\r\t\u0000\u001b\u007f""#), ("é😀", "\"é😀\""),
  ([], "[]"), ([1, [nil]], "[1,[null]]"), ([:], "{}"), (["a": 1, "b\"": ["x"]], #"{"a":1,"b\"":["x"]}"#),
]
