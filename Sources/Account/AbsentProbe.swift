// SPDX-License-Identifier: Apache-2.0

package import XML
internal import XMPP

/// Questions to a resource of ours that is not there, and all that came back for them.
///
/// They are harmless: what a server might keep, or hand to another device of ours, has nothing inside that anybody
/// would be shown.
package struct AbsentProbe {
  /// The resource that is not there.
  let jid: JID
  var answers: [Element] = []

  /// A payload that no server can know. Its attributes are in the order of the alphabet.
  package static let payload = Element("query", "urn:nightcloak:absent", ["a": "1", "b": "2", "c": "3"])

  private static let noStore = Element("no-store", "urn:xmpp:hints")
  private static let chatState = Element("active", "http://jabber.org/protocol/chatstates")
  private static let groupchat = "groupchat"
  private static let result = "result"
  private static let order = "order"
  private static let unstored = "unstored"
  private static let empty = "empty"

  // Stanzas of one stream are answered in order. So each of these is followed by an IQ, whose answer says that no
  // bounce will come any more.

  /// What is asked when the stream is new.
  /// - Parameter own: our full JID. A message to ourselves shows what becomes of what a client sends.
  func first(own: FullJID?) -> [Stanza] {
    var questions = [
      Stanza.message(Message(to: jid, type: .groupchat, id: Self.groupchat, payload: [Self.payload])),
      .iq(IQ(.result, to: jid, id: Self.result, payload: [Self.payload])),
    ]
    // An error is kept by nobody, and nobody answers it.
    if let own {
      questions.append(.message(Message(to: JID(own), type: .error, id: Self.order, payload: [Self.payload])))
    }
    return questions
  }

  /// Whether messages come back that ask not to be kept. A server without XEP-0334 might keep this one.
  var unstored: Stanza { .message(Message(to: jid, type: .chat, id: Self.unstored, payload: [Self.noStore])) }

  /// Whether messages come back that say nothing. A server that keeps even those keeps this one.
  var empty: Stanza { .message(Message(to: jid, type: .chat, id: Self.empty, payload: [Self.chatState])) }

  /// Notes a stanza that has come, if it is an answer.
  /// - Returns: whether it came because of the questions, and means nothing to anybody else.
  mutating func note(_ raw: Element, from: JID, own: FullJID?) -> Bool {
    guard from != jid else {
      answers.append(raw)
      return true
    }
    guard own.map({ from == JID($0) }) == true else { return false }
    if raw.attribute("id") == Self.order { answers.append(raw) }
    // Some servers bring ourselves what is for a resource that is not there.
    return raw.name == "message"
  }

  private func answer(_ kind: String, _ id: String?) -> Element? {
    answers.last { $0.name == kind && (id == nil || $0.attribute("id") == id) }
  }

  private func shape(_ kind: String, _ id: String?, _ probe: Element = payload) -> AbsentResource.Shape? {
    answer(kind, id).flatMap { AbsentResource.Shape(answer: $0, probe: probe) }
  }

  /// What the answers to ``first(own:)`` tell.
  var learned: AbsentResource {
    var absence = AbsentResource()
    if let iq = iqShape { absence.iq = iq }
    absence.result = shape("iq", Self.result)
    absence.groupchat = shape("message", Self.groupchat)
    let arrived = answer("message", Self.order)?.child(Self.payload.name, Self.payload.namespace)
    absence.isReversing = arrived.map { $0.attributes == Self.payload.attributes.reversed() } ?? false
    return absence
  }

  /// The shape of the answer to the IQ.
  var iqShape: AbsentResource.Shape? {
    answers.last { $0.name == "iq" && $0.attribute("id") != Self.result }.flatMap {
      AbsentResource.Shape(answer: $0, probe: Self.payload)
    }
  }

  /// The shape of the answer to ``unstored``.
  var unstoredShape: AbsentResource.Shape? { shape("message", Self.unstored, Self.noStore) }

  /// The shape of the answer to ``empty``.
  var emptyShape: AbsentResource.Shape? { shape("message", Self.empty, Self.chatState) }
}
