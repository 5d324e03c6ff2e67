// SPDX-License-Identifier: Apache-2.0

internal import XML

/// Why a server does not let somebody in (RFC 6120 §6.5). The raw values are the elements' names.
enum SASLCondition: String, Error {
  case aborted
  case encryptionRequired = "encryption-required"
  case incorrectEncoding = "incorrect-encoding"
  case invalidAuthorizationIdentity = "invalid-authzid"
  case invalidMechanism = "invalid-mechanism"
  case malformedRequest = "malformed-request"
  case notAuthorized = "not-authorized"

  /// Tells the client.
  var element: Element { Element("failure", Namespace.sasl, children: [Element(rawValue, Namespace.sasl)]) }
}
