import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeTLS

extension Client {
  /// What the worker is told of the client's certificate; nothing where the listener asks for none. A client's own fields that
  /// begin with `X-Client-Cert` pass nowhere.
  ///
  /// Of the subject, `%` and every byte outside visible ASCII is percent-encoded, as of a claim.
  ///
  /// - Throws: `CertificateFieldTooLong` when the subject takes more than a claim may.
  func certificateFields() throws(CertificateFieldTooLong) -> [HTTPField] {
    guard listener.tls?.clients != nil else { return [] }
    guard let certificate else { return [HTTPField(name: "X-Client-Cert-Verify", value: "NONE")] }
    var fields = [
      HTTPField(name: "X-Client-Cert-Verify", value: "SUCCESS"),
      HTTPField(name: "X-Client-Cert-Fingerprint", value: Hexadecimal.text(certificate.fingerprint)),
    ]
    guard !certificate.subject.isEmpty else { return fields }
    var subject: [UInt8] = []
    for byte in certificate.subject.utf8 { PercentEncoding.appendVisible(byte, to: &subject) }
    guard subject.count <= HeaderTemplate.maxValueBytes else { throw CertificateFieldTooLong() }
    fields.append(HTTPField(name: "X-Client-Cert-Subject", value: String(decoding: subject, as: UTF8.self)))
    return fields
  }
}

/// A certificate's subject does not fit into a field.
struct CertificateFieldTooLong: Error {}
