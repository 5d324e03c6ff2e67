// SPDX-License-Identifier: Apache-2.0

public import XML

/// An IQ stanza: a question or its answer (RFC 6120 §8.2.3).
public struct IQ: Hashable, Sendable {
  /// The types.
  public enum Kind: String, Hashable, Sendable {
    /// Asks for something.
    case get
    /// Asks to change something.
    case set
    /// The answer.
    case result
    /// The answer that there will be none.
    case error
  }

  /// Who sent it. None from our server on behalf of our own account.
  public var from: JID?
  /// Whom it is for; our own account where there is none.
  public var to: JID?
  /// What its sender calls it; the answer has the same. Empty where the sender did not call it anything.
  public var id: String
  /// The type.
  public var type: Kind
  /// The language of the text inside.
  public var language: String?
  /// What is wrong, in a stanza of the type `error`.
  public var error: StanzaError?
  /// The elements inside but for the error: one in a question, at most one in an answer.
  public var payload: [Element]

  /// An IQ for sending.
  public init(_ type: Kind, to: JID?, id: String, payload: [Element] = []) {
    self.type = type
    self.to = to
    self.id = id
    self.payload = payload
  }

  /// Reads an IQ.
  /// - Throws: ``MalformedStanza`` when it is no IQ, an address cannot be read, the type is missing, or
  ///   an answer has more than one element inside.
  public init(_ element: Element) throws(MalformedStanza) {
    let header = try StanzaHeader(element, "iq")
    guard let type = header.type.flatMap(Kind.init) else {
      throw MalformedStanza(.badRequest, "it is an IQ of a type that there is not")
    }
    from = header.from
    to = header.to
    // Servers relay those without an id, too, and answer for an absent resource all the same.
    id = header.id ?? ""
    self.type = type
    language = header.language
    error = header.error
    payload = header.children
    switch type {
    case .get, .set: break  // Servers relay any number of payloads, and answer for an absent resource all the same.
    case .result:
      guard payload.count <= 1 else { throw MalformedStanza(.badRequest, "it is an answer with more than one payload") }
    case .error:
      // A wrong answer is an answer too: whoever asked must not wait for a better one.
      error = error ?? StanzaError(.undefinedCondition)
    }
  }

  /// The stanza as it goes over the wire.
  public var element: Element {
    Element(
      "iq", Namespace.client,
      [
        "from": from?.description, "to": to?.description, "id": id, "type": type.rawValue, "xml:lang": language,
      ], children: payload + (error.map { [$0.element] } ?? []))
  }

  /// The answer to this question, addressed to whoever asked.
  public func result(_ payload: Element? = nil) -> IQ {
    IQ(.result, to: from, id: id, payload: payload.map { [$0] } ?? [])
  }

  /// The answer that there will be none, addressed to whoever asked.
  /// - Parameter echo: whether the question is sent back with it (RFC 6120 §8.3.1 leaves that to us).
  public func failure(_ error: StanzaError, echo: Bool = false) -> IQ {
    var answer = IQ(.error, to: from, id: id, payload: echo ? payload : [])
    answer.error = error
    return answer
  }
}
