import EdgeAuth
import Testing

@Suite struct TokenEnvelopeTests {
  @Test(arguments: [
    (#"{"type":"edge.token","data":{"token":"a.b.c"}}"#, "a.b.c"), (#"{"type":"edge.token","token":"a.b.c"}"#, "a.b.c"),
    (#"{"type":"edge.token","data":{"token":"a","more":1},"id":7}"#, "a"),
  ])
  func `a token stands in data or beside the type`(message: String, token: String) {
    #expect(TokenEnvelope.token(in: Array(message.utf8)) == token)
  }

  @Test(arguments: [
    "", "{}", "null", #"{"type":"edge.token"}"#, #"{"type":"edge.token","token":1}"#, #"{"type":"edge.tokens","token":"a"}"#,
    #"{"type":"edge.token","token":"a","data":{"token":"b"}}"#, #"{"type":"edge.token","token":"a","token":"b"}"#,
    #"{"type":"edge.token","token":"a"} "x""#, #"{"type":"edge.token","data":[{"token":"a"}]}"#,
    #"{"type":"edge.token","data":{"token":"a"}"#, #"{"type":"edge.token","token":"a","x":[[[[[[]]]]]]}"#,
  ])
  func `anything else holds none`(message: String) {
    #expect(TokenEnvelope.token(in: Array(message.utf8)) == nil)
  }
}
