// SPDX-License-Identifier: Apache-2.0

/// Why a stream is over.
public struct StreamEnd: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds of ends, for code that decides what to do.
  public enum Code: Hashable, Sendable {
    /// The server cannot be found or reached, or the connection broke.
    case network
    /// The server took too long.
    case timedOut
    /// The server does not let us in, or could not prove that it is the server.
    case authentication
    /// The server's certificate, or the file to check it with, is not accepted.
    case certificate
    /// The server ended the stream, naming a condition.
    case streamError(StreamCondition)
    /// The server refused a request that it takes to log in.
    case refused(StanzaError.Condition)
    /// The server ended the stream without saying why.
    case closedByPeer
    /// We closed it.
    case cancelled
    /// The server does something that XMPP forbids, or offers nothing that we can do.
    case `protocol`
  }

  /// The kind of end.
  public let code: Code
  /// What was wrong and what to do, for people.
  public let text: String
  /// Whether retrying cannot mend it: somebody must change something first, or wanted the end.
  public let isFinal: Bool

  /// Describes an end.
  /// - Parameter isFinal: whether retrying cannot mend it; nil for what is usual for `code`.
  public init(_ code: Code, _ text: String, isFinal: Bool? = nil) {
    self.code = code
    self.text = text
    self.isFinal = isFinal ?? code.isUsuallyFinal
  }

  /// The text.
  public var description: String { text }
}

extension StreamEnd.Code {
  /// Whether retrying cannot mend an end of this kind, where nothing else is known about it.
  var isUsuallyFinal: Bool {
    switch self {
    case .authentication, .certificate, .cancelled: true
    // The network of a train answers in the server's place until somebody has signed in to it: not even nonsense is
    // final.
    case .network, .timedOut, .closedByPeer, .protocol: false
    case .streamError(let condition): condition.isFinal
    case .refused(let condition): condition.endsLoggingIn
    }
  }

  /// Whether a server that keeps sessions keeps one that ends like this (XEP-0198 §7).
  var keepsSession: Bool {
    switch self {
    case .network, .timedOut, .closedByPeer: true
    case .streamError(let condition):
      switch condition {
      case .connectionTimeout, .internalServerError, .remoteConnectionFailed, .reset, .resourceConstraint,
        .systemShutdown:
        true
      default: false
      }
    case .authentication, .certificate, .refused, .cancelled, .protocol: false
    }
  }
}

extension StreamCondition {
  /// Whether a new stream would end the same way, or take the place of another program that has just taken ours.
  var isFinal: Bool {
    switch self {
    case .conflict, .hostGone, .hostUnknown, .notAuthorized, .policyViolation, .seeOtherHost, .unsupportedFeature,
      .unsupportedVersion:
      true
    // Some pass by themselves, and those that name a fault in what we sent come of what was sent then.
    case .badFormat, .badNamespacePrefix, .connectionTimeout, .improperAddressing, .internalServerError, .invalidFrom,
      .invalidNamespace, .invalidXML, .notWellFormed, .remoteConnectionFailed, .reset, .resourceConstraint,
      .restrictedXML, .systemShutdown, .undefinedCondition, .unsupportedEncoding, .unsupportedStanzaType:
      false
    }
  }
}

extension StanzaError.Condition {
  /// Whether a server that answers so when we log in would do it again.
  var endsLoggingIn: Bool {
    switch self {
    case .badRequest, .featureNotImplemented, .forbidden, .gone, .jidMalformed, .notAcceptable, .notAllowed,
      .notAuthorized, .policyViolation, .redirect, .registrationRequired, .subscriptionRequired:
      true
    // `conflict`: our own connection of before may still hold the resource, until the server finds it dead.
    case .conflict, .internalServerError, .itemNotFound, .recipientUnavailable, .remoteServerNotFound,
      .remoteServerTimeout, .resourceConstraint, .serviceUnavailable, .undefinedCondition, .unexpectedRequest:
      false
    }
  }
}
