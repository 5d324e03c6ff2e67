// SPDX-License-Identifier: Apache-2.0

/// Why a server ends a stream (RFC 6120 §4.9.3). The raw values are the elements' names.
public enum StreamCondition: String, Hashable, Sendable, CaseIterable {
  /// XML that cannot be understood.
  case badFormat = "bad-format"
  /// A wrong namespace prefix.
  case badNamespacePrefix = "bad-namespace-prefix"
  /// Another session took our place.
  case conflict
  /// We did not answer, or not in time.
  case connectionTimeout = "connection-timeout"
  /// The domain is no longer served there.
  case hostGone = "host-gone"
  /// The domain is not served there.
  case hostUnknown = "host-unknown"
  /// A stanza without the addresses that it needs.
  case improperAddressing = "improper-addressing"
  /// The server's fault.
  case internalServerError = "internal-server-error"
  /// A false `from`.
  case invalidFrom = "invalid-from"
  /// A wrong namespace of the stream or its content.
  case invalidNamespace = "invalid-namespace"
  /// XML that does not follow its schema.
  case invalidXML = "invalid-xml"
  /// Something that takes a log-in first.
  case notAuthorized = "not-authorized"
  /// No XML.
  case notWellFormed = "not-well-formed"
  /// A rule of the service was broken.
  case policyViolation = "policy-violation"
  /// Another server could not be reached.
  case remoteConnectionFailed = "remote-connection-failed"
  /// The server is about to restart, or wants a new stream.
  case reset
  /// The server is too busy.
  case resourceConstraint = "resource-constraint"
  /// XML that XMPP forbids.
  case restrictedXML = "restricted-xml"
  /// Another host should be asked.
  case seeOtherHost = "see-other-host"
  /// The server is going down.
  case systemShutdown = "system-shutdown"
  /// Something else; also any condition that we do not know.
  case undefinedCondition = "undefined-condition"
  /// Not UTF-8.
  case unsupportedEncoding = "unsupported-encoding"
  /// A feature that the server does not have.
  case unsupportedFeature = "unsupported-feature"
  /// A stanza of an unknown kind.
  case unsupportedStanzaType = "unsupported-stanza-type"
  /// Another version of XMPP.
  case unsupportedVersion = "unsupported-version"
}
