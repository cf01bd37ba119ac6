import EdgeCore
import Testing

@Suite struct JSONParserTests {
  @Test(arguments: accepted)
  func `a text within the grammar is accepted`(text: String, value: JSON) throws {
    #expect(try JSON(parsing: Array(text.utf8)) == value)
  }

  @Test(arguments: refused)
  func `a text against the grammar is refused at the byte that breaks it`(text: String, reason: JSONError.Reason, offset: Int) {
    #expect(throws: JSONError(reason, at: offset)) { try JSON(parsing: Array(text.utf8)) }
  }

  @Test(arguments: invalidUTF8)
  func `bytes that are not UTF-8 are refused where they begin`(bytes: [UInt8], offset: Int) {
    let text = Array("[\"".utf8) + bytes + Array("\"]".utf8)
    #expect(throws: JSONError(.invalidUTF8, at: offset)) { try JSON(parsing: text) }
  }

  @Test func `every proper prefix of an object is refused`() {
    let text = Array(#"{"a":[1,-2.5e3,"\u00e9\ud83d\ude00\n"],"b":{"c":null,"d":true,"e":false}}"#.utf8)
    #expect(throws: Never.self) { try JSON(parsing: text) }
    for length in 0..<text.count {
      #expect(throws: JSONError.self) { try JSON(parsing: Array(text[..<length])) }
    }
  }

  @Test func `depth counts arrays and objects, and its limit is exact`() throws {
    let nested = { (depth: Int) in Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8) }
    #expect(throws: Never.self) { try JSON(parsing: nested(32)) }
    #expect(throws: JSONError(.tooDeep, at: 32)) { try JSON(parsing: nested(33)) }
    #expect(throws: JSONError(.tooDeep, at: 0)) { try JSON(parsing: Array("{}".utf8), maxDepth: 0) }
    #expect(try JSON(parsing: Array("7".utf8), maxDepth: 0) == 7)
    #expect(try JSON(parsing: Array("[{},{},[[]]]".utf8), maxDepth: 3).arrayValue?.count == 3)
  }

  @Test func `a million opening brackets cost no stack`() {
    #expect(throws: JSONError(.tooDeep, at: 32)) { try JSON(parsing: Array(repeating: UInt8(ascii: "["), count: 1_000_000)) }
  }

  @Test(arguments: [2, 16, 17, 18, 400])
  func `two members of one name are refused however many there are`(count: Int) {
    var names = (1..<count).map { "k\($0)" }
    names.append("k1")
    let text = "{" + names.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    #expect { try JSON(parsing: Array(text.utf8)) } throws: { ($0 as? JSONError)?.reason == .duplicateMember }
    let distinct = "{" + names.dropLast().map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    #expect(throws: Never.self) { try JSON(parsing: Array(distinct.utf8)) }
  }

  @Test func `an escaped spelling of a name is the same name`() {
    #expect(throws: JSONError(.duplicateMember, at: 9)) { try JSON(parsing: Array(#"{"sub":1,"s\u0075b":2}"#.utf8)) }
  }

  @Test func `names that Unicode calls equivalent are different names`() throws {
    let value = try JSON(parsing: Array(#"{"\u212a":1,"K":2}"#.utf8))
    #expect(value["K"] == 2)
    #expect(value["\u{212A}"] == 1)
  }

  @Test func `random bytes never trap, and what is accepted survives a round trip`() throws {
    var random = SplitMix(state: 7)
    let alphabet = Array(#"{}[]",:\u0123dD8eE+-.tfn "#.utf8) + [0xc3, 0xa9, 0x00, 0xf0]
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0..<24, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      guard let value = try? JSON(parsing: bytes) else { continue }
      #expect(try JSON(parsing: value.encoded()) == value)
    }
  }
}

@Suite struct JSONAccessTests {
  @Test func `a value answers only for its own kind`() {
    let value: JSON = ["text": "x", "whole": 3, "part": 2.5, "yes": true, "none": nil, "list": [1, 2]]
    #expect(value["text"]?.stringValue == "x")
    #expect(value["whole"]?.integerValue == 3)
    #expect(value["whole"]?.numberValue == 3)
    #expect(value["part"]?.integerValue == nil)
    #expect(value["part"]?.numberValue == 2.5)
    #expect(value["yes"]?.boolValue == true)
    #expect(value["none"]?.isNull == true)
    #expect(value["list"]?.arrayValue == [1, 2])
    #expect(value["absent"] == nil)
    #expect(value["text"]?["x"] == nil)
    #expect(value.members?.map(\.name) == ["text", "whole", "part", "yes", "none", "list"])
  }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

private let accepted: [(String, JSON)] = [
  ("null", nil), ("true", true), ("false", false), ("\"\"", ""), ("[]", []), ("{}", [:]),
  (" \t\r\n[ ] \n", []), ("{ \"a\" : 1 , \"b\" : 2 }", ["a": 1, "b": 2]), ("[[],[[]],{}]", [[], [[]], [:]]),
  ("{\"\":0}", ["": 0]),
  ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("10", 10),
  ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
  ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("-9223372036854775809", .number(-9_223_372_036_854_775_808)),
  ("1.0", 1.0), ("1e3", 1000.0), ("1E+2", 100.0), ("0e1", 0.0), ("0e+1", 0.0), ("-1.5e-2", -0.015), ("1.25", 1.25),
  ("-0.0", -0.0),
  ("1e-400", 0.0), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
  (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
  (#""\u0000\u001F\u00e9\u20AC""#, "\u{0}\u{1f}é€"), (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00x""#, "😀x"),
  (#""\ud7ff\ue000""#, "\u{d7ff}\u{e000}"), ("\"\u{7f}\u{2028}é😀\"", "\u{7f}\u{2028}é😀"), (#""\\u0041""#, "\\u0041"),
]

private let refused: [(String, JSONError.Reason, Int)] = [
  ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("\u{feff}{}", .unexpectedByte, 0),
  ("nul", .unexpectedEnd, 3), ("nulx", .unexpectedByte, 3), ("True", .unexpectedByte, 0), ("NaN", .unexpectedByte, 0),
  ("Infinity", .unexpectedByte, 0), ("-Infinity", .invalidNumber, 1), ("undefined", .unexpectedByte, 0),
  ("1 2", .trailingBytes, 2), ("{}}", .trailingBytes, 2), ("true,", .trailingBytes, 4), ("{}\u{0}", .trailingBytes, 2),
  ("nullnull", .trailingBytes, 4), ("/* */1", .unexpectedByte, 0), ("1//", .trailingBytes, 1),
  ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3), ("[1,]", .unexpectedByte, 3),
  ("[,1]", .unexpectedByte, 1), ("[1 2]", .unexpectedByte, 3), ("[1}", .unexpectedByte, 2), ("]", .unexpectedByte, 0),
  ("{", .unexpectedEnd, 1), ("{,}", .unexpectedByte, 1), ("{\"a\"}", .unexpectedByte, 4), ("{\"a\":}", .unexpectedByte, 5),
  ("{\"a\":1,}", .unexpectedByte, 7), ("{a:1}", .unexpectedByte, 1), ("{'a':1}", .unexpectedByte, 1),
  ("{1:1}", .unexpectedByte, 1),
  ("{\"a\":1 \"b\":2}", .unexpectedByte, 7), ("{\"a\":1,\"a\":2}", .duplicateMember, 7),
  ("{\"a\":{\"b\":1,\"b\":1}}", .duplicateMember, 12),
  ("01", .invalidNumber, 0), ("-01", .invalidNumber, 1), ("00", .invalidNumber, 0), ("+1", .unexpectedByte, 0),
  (".5", .unexpectedByte, 0), ("1.", .unexpectedEnd, 2), ("1.e3", .invalidNumber, 2), ("1e", .unexpectedEnd, 2),
  ("1e+", .unexpectedEnd, 3), ("1ee3", .invalidNumber, 2), ("-", .unexpectedEnd, 1), ("--1", .invalidNumber, 1),
  ("0x10", .trailingBytes, 1), ("1_000", .trailingBytes, 1), ("1e400", .numberOutOfRange, 0), ("[-1e999]", .numberOutOfRange, 1),
  (String(repeating: "9", count: 257), .numberOutOfRange, 0), ("１", .unexpectedByte, 0),
  ("\"", .unexpectedEnd, 1), ("\"a", .unexpectedEnd, 2), ("\"\\", .unexpectedEnd, 2), ("\"\\\"", .unexpectedEnd, 3),
  ("\"\n\"", .controlCharacter, 1), ("\"\u{0}\"", .controlCharacter, 1), ("\"a\u{1f}\"", .controlCharacter, 2),
  ("\"\\x41\"", .invalidEscape, 1), ("\"\\a\"", .invalidEscape, 1), ("\"\\'\"", .invalidEscape, 1),
  ("\"\\é\"", .invalidEscape, 1),
  ("\"\\\n\"", .invalidEscape, 1), ("\"\\u12\"", .invalidEscape, 1), ("\"\\u12g4\"", .invalidEscape, 1),
  ("\"\\U0041\"", .invalidEscape, 1), ("\"\\u+041\"", .invalidEscape, 1),
  (#""\ud83d""#, .loneSurrogate, 1), (#""\ude00""#, .loneSurrogate, 1), (#""a\ud83dx""#, .loneSurrogate, 2),
  (#""\ud83d\u0041""#, .loneSurrogate, 1), (#""\ude00\ud83d""#, .loneSurrogate, 1), (#""\ud83d\ud83d""#, .loneSurrogate, 1),
  (#""\ud83d\n""#, .loneSurrogate, 1),
]

/// Table 3-7 of Unicode: what each ill-formed sequence is, after `["` (two bytes).
private let invalidUTF8: [([UInt8], Int)] = [
  ([0x80], 2), ([0xbf, 0x61], 2), ([0xc3], 2), ([0xc0, 0x80], 2), ([0xc1, 0xbf], 2), ([0xe0, 0x80, 0x80], 2),
  ([0xed, 0xa0, 0x80], 2), ([0xed, 0xbf, 0xbf], 2), ([0xf0, 0x80, 0x80, 0x80], 2), ([0xf4, 0x90, 0x80, 0x80], 2),
  ([0xf5, 0x80, 0x80, 0x80], 2), ([0xff], 2), ([0xfe], 2), ([0x61, 0xe2, 0x82], 3), ([0x61, 0x62, 0xf0, 0x9f, 0x98], 4),
  ([0xc3, 0x5c, 0x6e], 2), ([0x5c, 0x6e, 0xff], 4),
]
