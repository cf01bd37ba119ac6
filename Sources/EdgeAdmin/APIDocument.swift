internal import CAssets

/// The description of the API (OpenAPI 3.1), which is embedded in the program: `Sources/CAssets/api/openapi.json`.
enum APIDocument {
  static let bytes: [UInt8] = unsafe Array(UnsafeBufferPointer(start: api_document_bytes(), count: api_document_count()))
}
