// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import XML
internal import XMPP

/// How our server answers for a user that there is not. All of our addresses that somebody must not know of are answered
/// for like this, those that stand for nobody and the domain itself included, by the same code: so there is nothing to tell
/// them apart by.
struct AbsentUser: Hashable, Sendable {
  typealias Shape = AbsentResource.Shape

  /// The answer to an IQ get or set. Until it is learned, the one that RFC 6121 §8.5.1 asks for.
  var iq: Shape? = AbsentResource.plain
  /// The answer to an IQ result; `nil` where the server swallows it.
  var result: Shape?
  /// The answer to a message of type chat or normal.
  var message: Shape? = AbsentResource.plain
  var groupchat: Shape? = AbsentResource.plain
  var headline: Shape?

  /// What goes back; `nil` where silence is what the server would give.
  /// - Parameter raw: the stanza as it came.
  func answer(to stanza: Stanza, _ raw: Element) -> Element? {
    shape(for: stanza).map { $0.answer(to: raw, $0.error, from: raw.attribute("to")) }
  }

  private func shape(for stanza: Stanza) -> Shape? {
    switch stanza {
    case .presence: nil
    case .iq(let iq):
      switch iq.type {
      case .get, .set: self.iq
      case .result: result
      case .error: nil
      }
    case .message(let message):
      switch message.type {
      case .chat, .normal: self.message
      case .groupchat: groupchat
      case .headline: headline
      case .error: nil
      }
    }
  }
}

/// Questions to a user of the parent domain that there is not, and all that came back for them. They come from an address of
/// ours that nobody else has heard of.
struct AbsentUserProbe {
  /// Who asks.
  let own: JID
  private let absent: JID
  private let id: String
  private var answers: [String: Element] = [:]

  /// - Parameters:
  ///   - domain: ours.
  ///   - parent: where our server has its users.
  init?(domain: BareJID, parent: String) {
    guard parent != domain.domain, let own = try? JID("\(RandomName.make())@\(domain)"),
      let absent = try? JID("\(RandomName.make())@\(parent)")
    else { return nil }
    self.own = own
    self.absent = absent
    id = RandomName.make()
  }

  /// The questions. Stanzas of one stream are answered in order, so the answer to the last one, which everybody has to give,
  /// says that no other will come any more.
  var questions: [Element] {
    let messages = [Message.Kind.chat, .groupchat, .headline].map { type in
      var message = Message(to: absent, type: type, id: id + type.rawValue, payload: [AbsentProbe.payload])
      message.from = own
      return Stanza.message(message)
    }
    let iqs = [IQ.Kind.result, .get].map { type in
      var iq = IQ(type, to: absent, id: id + type.rawValue, payload: [AbsentProbe.payload])
      iq.from = own
      return Stanza.iq(iq)
    }
    return (messages + iqs).map(\.element)
  }

  /// Notes a stanza that has come for ``own``.
  /// - Returns: what the answers tell, once all have come.
  mutating func note(_ raw: Element) -> AbsentUser? {
    guard let name = raw.attribute("id"), name.hasPrefix(id) else { return nil }
    answers[String(name.dropFirst(id.count))] = raw
    guard let iq = shape(IQ.Kind.get.rawValue) else { return nil }
    return AbsentUser(
      iq: iq, result: shape(IQ.Kind.result.rawValue), message: shape(Message.Kind.chat.rawValue),
      groupchat: shape(Message.Kind.groupchat.rawValue), headline: shape(Message.Kind.headline.rawValue))
  }

  /// What says that somebody cannot be reached says nothing about whether there is somebody.
  private func shape(_ kind: String) -> AbsentUser.Shape? {
    guard let answer = answers[kind], let shape = AbsentUser.Shape(answer: answer, probe: AbsentProbe.payload),
      [.serviceUnavailable, .itemNotFound, .recipientUnavailable].contains(StanzaError(shape.error).condition)
    else { return nil }
    return shape
  }
}
