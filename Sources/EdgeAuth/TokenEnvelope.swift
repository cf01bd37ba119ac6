internal import EdgeCore

/// A token in a message: `{"type":"edge.token","data":{"token":"…"}}`, or with `token` beside `type`.
public enum TokenEnvelope {
  /// The token of such a message; nil where it is not strict JSON of that form.
  ///
  /// - Parameter bytes: the message's payload, unmasked.
  public static func token(in bytes: [UInt8]) -> String? {
    guard let json = try? JSON(parsing: bytes, maxDepth: 4), json["type"] == "edge.token" else { return nil }
    let places = [json["token"], json["data"]?["token"]].compactMap { $0 }
    guard places.count == 1 else { return nil }
    return places[0].stringValue
  }
}
