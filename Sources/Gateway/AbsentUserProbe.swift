// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import XML
internal import XMPP

/// Questions to a user of the parent domain that there is not, and all that came back for them.
struct AbsentUserProbe {
  private let own: JID
  /// The language in which; empty names none.
  let language: String
  private let absent: [JID]
  private let id: String
  private var answers: [String: Element] = [:]

  /// - Parameters:
  ///   - own: an address of ours that nobody else has heard of.
  ///   - user: who is not there.
  ///   - language: in which to ask; empty names none.
  init?(from own: JID, user: BareJID, language: String) {
    guard let full = try? JID("\(user)/\(RandomName.make())") else { return nil }
    self.own = own
    self.language = language
    absent = [JID(user), full]
    id = RandomName.make()
  }

  /// The questions. Stanzas of one stream are answered in order, so the answers to the last ones, which everybody has to
  /// give, say that no other will come any more.
  var questions: [Element] {
    // An error is kept by nobody, and nobody answers it: this one comes back as it is.
    var order = Message(to: own, type: .error, id: name(Self.order, 0), payload: [AbsentProbe.payload])
    order.from = own
    let messages = absent.enumerated().flatMap { form, to in
      [Message.Kind.chat, .groupchat, .headline].map { type in
        var message = Message(to: to, type: type, id: name(type.rawValue, form), payload: [AbsentProbe.payload])
        message.from = own
        return Stanza.message(message).element
      }
    }
    let iqs = [IQ.Kind.result, .get].flatMap { type in
      absent.enumerated().map { form, to in
        var iq = IQ(type, to: to, id: name(type.rawValue, form), payload: [AbsentProbe.payload])
        iq.from = own
        return Stanza.iq(iq).element
      }
    }
    let all = [Stanza.message(order).element] + messages + iqs
    guard !language.isEmpty else { return all }
    return all.map { $0.with(attributes: $0.attributes + [Element.Attribute("xml:lang", language)]) }
  }

  private static let order = "order"

  private func name(_ kind: String, _ form: Int) -> String { "\(id)\(form)\(kind)" }

  /// Notes a stanza that has come for who asks.
  /// - Returns: what the answers tell, once all have come.
  mutating func note(_ raw: Element) -> AbsentUser? {
    guard let name = raw.attribute("id"), name.hasPrefix(id) else { return nil }
    answers[name] = raw
    guard let bare = learned(0), let full = learned(1) else { return nil }
    let payload = answers[self.name(Self.order, 0)]?.child(AbsentProbe.payload.name, AbsentProbe.payload.namespace)
    let isReversing = payload.map { $0.attributes == AbsentProbe.payload.attributes.reversed() } ?? false
    return AbsentUser(bare: bare, full: full, isReversing: isReversing)
  }

  private func learned(_ form: Int) -> AbsentUser.Answers? {
    guard let iq = shape(IQ.Kind.get.rawValue, form) else { return nil }
    return AbsentUser.Answers(
      iq: iq, result: shape(IQ.Kind.result.rawValue, form), message: shape(Message.Kind.chat.rawValue, form),
      groupchat: shape(Message.Kind.groupchat.rawValue, form), headline: shape(Message.Kind.headline.rawValue, form))
  }

  /// What says that somebody cannot be reached says nothing about whether there is somebody.
  private func shape(_ kind: String, _ form: Int) -> AbsentUser.Shape? {
    guard let answer = answers[name(kind, form)],
      let shape = AbsentUser.Shape(answer: answer, probe: AbsentProbe.payload),
      [.serviceUnavailable, .itemNotFound, .recipientUnavailable].contains(StanzaError(shape.error).condition)
    else { return nil }
    return shape
  }
}
