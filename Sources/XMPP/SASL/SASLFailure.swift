// SPDX-License-Identifier: Apache-2.0

internal import XML

extension StreamEnd {
  /// What a refusal to let us in means (RFC 6120 §6.5), and what a person can do about it.
  init(saslFailure element: Element, mechanism: String) {
    let conditions = element.children.filter { $0.namespace == Namespace.sasl && $0.name != "text" }
    let explanation =
      switch conditions.first?.name ?? "" {
      case "not-authorized":
        "The server does not accept the user name or the password: check both."
      case "account-disabled":
        "The account is disabled on the server: ask its administrator."
      case "credentials-expired":
        "The password has expired: change it with the server."
      case "encryption-required":
        "The server lets nobody in without TLS: set tls to starttls."
      case "temporary-auth-failure":
        "The server cannot check passwords now: try again later."
      case "mechanism-too-weak":
        "The server does not accept \(mechanism) for this account: ask its administrator."
      case "invalid-mechanism":
        "The server offered \(mechanism) and then did not know it: ask its administrator."
      case "aborted", "incorrect-encoding", "invalid-authzid", "malformed-request":
        "The server did not understand how we log in (\(mechanism)): ask its administrator."
      default:
        "The server does not let us in: ask its administrator."
      }
    let text = explanation + Self.quote(element.child("text", Namespace.sasl)?.text)
    // A second try with the same password is of no use, and some servers lock an account over several.
    self.init(.authentication, text, isFinal: conditions.first?.name != "temporary-auth-failure")
  }

  /// What the server says, fit for being shown: it may say anything, at any length.
  static func quote(_ text: String?) -> String {
    guard let text else { return "" }
    let clean = text.unicodeScalars.prefix(200).map { scalar in
      scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format ? " " : scalar
    }
    let words = String(String.UnicodeScalarView(clean)).split(separator: " ")
    return words.isEmpty ? "" : " It says: \"\(words.joined(separator: " "))\""
  }
}
