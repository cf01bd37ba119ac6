import EdgeFetch
import Testing

/// What needs no server; Tests/EndToEnd/test_keys.py has the servers.
@Suite struct `A fetch` {
  @Test(arguments: [
    "http://localhost:1/", "file:///etc/passwd", "ftp://localhost:1/", "gopher://localhost:1/", "localhost:1", "",
    "HTTP://localhost:1/",
  ])
  func `speaks nothing but https`(url: String) {
    let error = failure(of: Fetch(url: url))
    guard case .failed(let reason)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
    #expect(!reason.contains("connect"), "it went out: \(reason)")
  }

  @Test func `takes no credentials in the address`() {
    #expect(failure(of: Fetch(url: "https://user:secret@localhost:1/")) != nil)
    #expect(failure(of: Fetch(url: "https://user:secret@localhost:1/")).map { "\($0)".contains("secret") } == false)
  }

  @Test func `says why it could not connect`() {
    guard case .failed(let reason)? = failure(of: Fetch(url: "https://127.0.0.1:1/")) else { return #expect(Bool(false)) }
    #expect(reason.contains("connect"))
  }

  @Test func `needs the authorities that it is given`() {
    let error = failure(of: Fetch(url: "https://127.0.0.1:1/", caFile: "/nowhere/ca.pem"))
    #expect(error != nil)
  }

  @Test func `reads as a phrase in a log line`() {
    #expect(FetchError.status(404).description == "status 404")
    #expect(FetchError.status(302).description == "redirected (302), which is not followed")
    #expect(FetchError.tooLarge(maxBytes: 9).description == "more than 9 bytes")
  }

  private func failure(of fetch: Fetch) -> FetchError? {
    do throws(FetchError) {
      _ = try fetch.perform()
      return nil
    } catch {
      return error
    }
  }
}
