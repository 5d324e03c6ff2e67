// SPDX-License-Identifier: Apache-2.0

extension StanzaError {
  /// What can be wrong with a stanza (RFC 6120 §8.3.3). The raw values are the elements' names.
  public enum Condition: String, Hashable, Sendable, CaseIterable {
    /// It cannot be understood.
    case badRequest = "bad-request"
    /// Another resource or session has that name.
    case conflict
    /// It is not implemented.
    case featureNotImplemented = "feature-not-implemented"
    /// Its sender may not.
    case forbidden
    /// Whom it is for has moved.
    case gone
    /// The server's fault.
    case internalServerError = "internal-server-error"
    /// There is no such thing.
    case itemNotFound = "item-not-found"
    /// An address that is none.
    case jidMalformed = "jid-malformed"
    /// It does not meet the demands of whom it is for.
    case notAcceptable = "not-acceptable"
    /// Nobody may.
    case notAllowed = "not-allowed"
    /// Its sender must prove who it is first.
    case notAuthorized = "not-authorized"
    /// It breaks a rule of the service.
    case policyViolation = "policy-violation"
    /// Whom it is for is not there now.
    case recipientUnavailable = "recipient-unavailable"
    /// It should go elsewhere.
    case redirect
    /// Its sender must register first.
    case registrationRequired = "registration-required"
    /// There is no such server, or it cannot be reached.
    case remoteServerNotFound = "remote-server-not-found"
    /// The other server did not answer.
    case remoteServerTimeout = "remote-server-timeout"
    /// The server is too busy.
    case resourceConstraint = "resource-constraint"
    /// Not provided; also what is said where there is nobody.
    case serviceUnavailable = "service-unavailable"
    /// Its sender must subscribe first.
    case subscriptionRequired = "subscription-required"
    /// Something else; also any condition that we do not know.
    case undefinedCondition = "undefined-condition"
    /// It came at the wrong time.
    case unexpectedRequest = "unexpected-request"

    /// The type that RFC 6120 recommends for the condition.
    public var usualType: Kind {
      switch self {
      case .badRequest, .jidMalformed, .notAcceptable, .policyViolation, .redirect: .modify
      case .forbidden, .notAuthorized, .registrationRequired, .subscriptionRequired: .auth
      case .recipientUnavailable, .remoteServerTimeout, .resourceConstraint, .unexpectedRequest: .wait
      case .conflict, .featureNotImplemented, .gone, .internalServerError, .itemNotFound, .notAllowed,
        .remoteServerNotFound, .serviceUnavailable, .undefinedCondition:
        .cancel
      }
    }
  }
}
