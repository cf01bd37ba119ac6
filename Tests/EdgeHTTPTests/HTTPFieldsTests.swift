import EdgeHTTP
import Testing

@Suite struct HTTPFieldsTests {
  private let fields: HTTPFields = ["Accept": "a", "X-Two": "1", "accept": "b", "x-two": "2"]

  @Test func `names are found in any case, values in their order`() {
    #expect(fields.first("ACCEPT") == "a")
    #expect(fields["x-TWO"] == "1")
    #expect(fields.all("Accept") == ["a", "b"])
    #expect(fields.contains("accept") && !fields.contains("accep"))
    #expect(fields.map(\.name) == ["Accept", "X-Two", "accept", "x-two"])
  }

  @Test func `a field that may stand once is absent, there, or repeated`() {
    let fields: HTTPFields = ["A": "1", "B": "2", "a": "1", "C": "é"]
    #expect(fields.sole("D") == .absent)
    #expect(fields.sole("b") == .once("2"))
    #expect(fields.sole("c") == .once("é"))
    #expect(fields.sole("a") == .repeated)
    #expect(fields.isSole("b", "2"))
    #expect(!fields.isSole("b", "20") && !fields.isSole("a", "1") && !fields.isSole("D", ""))
  }

  @Test func `fields of one set go on in another as they are`() {
    var all: HTTPFields = ["X": "1"]
    all.add(fields)
    #expect(all == ["X": "1", "Accept": "a", "X-Two": "1", "accept": "b", "x-two": "2"])
    #expect(all.all("accept") == ["a", "b"])
    all.remove("X-Two")
    #expect(all.description == "X: 1\r\nAccept: a\r\naccept: b\r\n")
  }

  @Test func `set replaces all fields of a name, remove takes them out`() {
    var changed = fields
    changed.set("Accept", "c")
    changed.remove("X-TWO")
    #expect(changed == ["Accept": "c"])
  }

  @Test(
    arguments: [
      (["a, b", "c"], ["a", "b", "c"]), ([" a ,,\t, b "], ["a", "b"]), ([""], []), (["\"a, b"], ["\"a", "b"]),
      (["é , ÿ"], ["é", "ÿ"]),
    ])
  func `RFC 9110 §5.6.1: a list runs over all fields of a name`(values: [String], elements: [String]) {
    let fields = HTTPFields(values.map { HTTPField(name: "List", value: $0) })
    #expect(fields.elements(of: "list") == elements)
  }

  @Test(arguments: [
    ("Upgrade", true), ("keep-alive, UPGRADE", true), ("upgrades", false), ("up grade", false), ("\"upgrade\"", false),
  ])
  func `a token is an element, not a part of one`(value: String, isFound: Bool) {
    #expect((["Connection": value] as HTTPFields).containsToken("upgrade", in: "connection") == isFound)
  }

  @Test(arguments: [
    (["websocket"], true), (["WebSocket"], true), ([" , websocket ,"], true), (["", "websocket"], true),
    (["websocket", "websocket"], false),
    (["websocket, h2c"], false), (["websockets"], false), (["web socket"], false), ([""], false), ([], false),
  ])
  func `a list of one token has it once and nothing else`(values: [String], isList: Bool) {
    let fields = HTTPFields(values.map { HTTPField(name: "Upgrade", value: $0) })
    #expect(fields.isList(of: "websocket", in: "upgrade") == isList)
  }

  @Test(
    arguments: [
      ("a\r\nX: b", "a%0D%0AX: b"), ("a\u{0}", "a%00"), ("a\tb é", "a\tb é"), ("€", "%E2%82%AC"), ("\u{7f}", "%7F"), ("", ""),
    ])
  func `a field of ours cannot end its line, whatever its value`(given: String, value: String) {
    #expect(HTTPField(name: "X", value: given).value == value)
  }

  @Test func `every byte that may stand in a value is written as it was read`() throws {
    let value = String(String.UnicodeScalarView((0x21...0xff).filter { $0 != 0x7f }.map { Unicode.Scalar(UInt8($0)) }))
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX: \(value)\r\n\r\n"
    let head = try #require(requests(in: request).heads.first)
    var bytes: [UInt8] = []
    head.serialize(into: &bytes)
    #expect(bytes == latin1(request))
  }
}
