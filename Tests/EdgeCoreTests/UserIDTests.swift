import EdgeCore
import Testing

@Suite struct UserIDTests {
  @Test func `users are the same byte by byte only`() {
    let composed = UserID(auth: "main", subject: "é")
    let decomposed = UserID(auth: "main", subject: "e\u{301}")
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed, UserID(auth: "other", subject: "é"), composed]).count == 3)
    #expect(UserID(auth: "ab", subject: "c") != UserID(auth: "a", subject: "bc"))
  }
}
