// SPDX-License-Identifier: Apache-2.0

internal import XML

extension StreamEnd {
  /// What a refusal to let us in means (RFC 6120 §6.5), and what a person can do about it.
  /// - Parameter choice: the way in that was refused.
  init(saslFailure element: Element, _ choice: LoginChoice?, account: BareJID) {
    let conditions = element.children.filter { $0.namespace == Namespace.sasl && $0.name != "text" }
    let condition = conditions.first?.name ?? ""
    let way = choice?.mechanism.rawValue ?? "none"
    let explanation =
      switch condition {
      case "not-authorized":
        Self.notAuthorized(choice, account)
      case "account-disabled":
        "The account is disabled on the server: ask its administrator."
      case "credentials-expired":
        choice?.mechanism == .external
          ? "The client certificate has expired: set a new one."
          : "The password has expired: change it with the server."
      case "encryption-required":
        "The server lets nobody in without TLS: set tls to starttls."
      case "temporary-auth-failure":
        "The server cannot check who we are now: try again later."
      case "mechanism-too-weak":
        "The server does not accept \(way) for this account: ask its administrator."
      case "invalid-mechanism":
        "The server offered \(way) and then did not know it: ask its administrator."
      case "invalid-authzid" where choice?.mechanism == .external:
        "The client certificate is not one for \(account): set another one."
      case "aborted", "incorrect-encoding", "invalid-authzid", "malformed-request":
        // A server that offers -PLUS and hears that we have not seen it has to refuse (RFC 5802 §6), by any of these.
        choice?.link == .hiddenByServer && choice?.mechanism.digest != nil
          ? "The server did not understand how we log in (\(way)), or somebody in between hides that it offers -PLUS: "
            + "ask its administrator. If it has that and does not offer it, set accept-weaker-login to true."
          : "The server did not understand how we log in (\(way)): ask its administrator."
      default:
        "The server does not let us in: ask its administrator."
      }
    let text = explanation + Self.quote(element.child("text", Namespace.sasl)?.text)
    // A second try with the same password is of no use, and some servers lock an account over several.
    self.init(.authentication, text, isFinal: condition != "temporary-auth-failure")
  }

  private static func notAuthorized(_ choice: LoginChoice?, _ account: BareJID) -> String {
    switch choice?.mechanism {
    case .external?:
      "The server does not accept the client certificate for \(account): check that it is one for this account."
    case let mechanism? where mechanism.bindsChannel:
      "The server does not accept the user name or the password: check both. If they are right, somebody may be in "
        + "between, whose end of the TLS connection is not the server's."
    default: "The server does not accept the user name or the password: check both."
    }
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
