// SPDX-License-Identifier: Apache-2.0

/// Why a stream cannot be read on. None of them quotes what the peer sent.
public enum StreamParserError: Error, Hashable, Sendable {
  /// Not XML. The number is libxml2's, for those who look for the cause.
  case notWellFormed(code: Int)
  /// Something that XML has and XMPP forbids (RFC 6120 §11.1); the text names it.
  case restrictedXML(String)
  /// Not UTF-8 (RFC 6120 §11.6).
  case unsupportedEncoding
  /// A prefix without a namespace (RFC 6120 §11.5).
  case unboundPrefix
  /// Character data between stanzas (RFC 6120 §4.2 allows only white space there).
  case textBetweenStanzas
  /// More bytes in one stanza than ``Limits/stanzaBytes``.
  case stanzaTooLarge(limit: Int)
  /// Deeper than ``Limits/depth``.
  case tooDeep(limit: Int)
  /// More attributes on one element than ``Limits/attributes``.
  case tooManyAttributes(limit: Int)
  /// A text that was to be one element is none, or more than that.
  case notOneElement

  /// The condition of the stream error that tells the peer (RFC 6120 §4.9.3).
  public var condition: String {
    switch self {
    case .notWellFormed: "not-well-formed"
    case .restrictedXML: "restricted-xml"
    case .unsupportedEncoding: "unsupported-encoding"
    case .unboundPrefix: "bad-namespace-prefix"
    case .textBetweenStanzas, .notOneElement: "bad-format"
    case .stanzaTooLarge, .tooDeep, .tooManyAttributes: "policy-violation"
    }
  }
}

extension StreamParserError: CustomStringConvertible {
  /// What was wrong, in a sentence for people.
  public var description: String {
    switch self {
    case .notWellFormed(let code): "the XML is not well-formed (libxml2 error \(code))"
    case .restrictedXML(let what): "the XML contains \(what), which XMPP forbids"
    case .unsupportedEncoding: "the XML is not UTF-8"
    case .unboundPrefix: "the XML uses a namespace prefix that is not declared"
    case .textBetweenStanzas: "there is text between the stanzas"
    case .stanzaTooLarge(let limit): "a stanza is larger than \(limit) bytes"
    case .tooDeep(let limit): "a stanza nests elements deeper than \(limit)"
    case .tooManyAttributes(let limit): "an element has more than \(limit) attributes"
    case .notOneElement: "the text is not exactly one XML element"
    }
  }
}
