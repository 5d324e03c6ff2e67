// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import XML
internal import XMPP

/// How our server answers for a user that there is not. All of our addresses that somebody must not know of are answered
/// for like this, those that stand for nobody and the domain itself included, by the same code: so there is nothing to tell
/// them apart by.
struct AbsentUser: Hashable, Sendable {
  typealias Shape = AbsentResource.Shape

  /// What comes back from one form of address.
  struct Answers: Hashable, Sendable {
    /// The answer to an IQ get or set. Until it is learned, the one that RFC 6121 §8.5.1 asks for.
    var iq: Shape? = AbsentResource.plain
    /// The answer to an IQ result; `nil` where the server swallows it.
    var result: Shape?
    /// The answer to a message of type chat or normal.
    var message: Shape? = AbsentResource.plain
    var groupchat: Shape? = AbsentResource.plain
    var headline: Shape?
  }

  /// What comes back from an address without a resource. One server finds no module for it.
  var bare = Answers()
  /// What comes back from one with a resource. The same server finds no session, and bounces no headline.
  var full = Answers()
  /// Whether the server turns the attributes of each stanza round that it passes on. What it says itself has passed once less
  /// or more than what we say in its place.
  var isReversing = false

  /// Whether an answer says something in words, which may depend on the asker's language.
  var hasText: Bool {
    [bare, full].contains { answers in
      [answers.iq, answers.result, answers.message, answers.groupchat, answers.headline].contains {
        $0?.error.child("text", "urn:ietf:params:xml:ns:xmpp-stanzas") != nil
      }
    }
  }

  /// What goes back; `nil` where silence is what the server would give.
  /// - Parameter raw: the stanza as it came.
  func answer(to stanza: Stanza, _ raw: Element) -> Element? {
    guard let to = stanza.to, let shape = shape(for: stanza, to.resource == nil ? bare : full) else { return nil }
    let answer = shape.answer(to: raw, shape.error, from: Self.sender(raw.attribute("to") ?? "", domain: to.domain))
    return isReversing ? answer.attributesReversed : answer
  }

  private func shape(for stanza: Stanza, _ answers: Answers) -> Shape? {
    switch stanza {
    case .presence: nil
    case .iq(let iq):
      switch iq.type {
      case .get, .set: answers.iq
      case .result: answers.result
      case .error: nil
      }
    case .message(let message):
      switch message.type {
      case .chat, .normal: answers.message
      case .groupchat: answers.groupchat
      case .headline: answers.headline
      case .error: nil
      }
    }
  }

  /// The address that was asked, as the asker wrote it, but for the domain: a server that hands it to us in capitals need
  /// not take it back like that, and one ends the stream over it.
  private static func sender(_ asked: String, domain: String) -> String {
    // Among the bytes: letters of some scripts grow together with what stands beside them.
    let bare = asked.utf8.prefix { $0 != UInt8(ascii: "/") }
    let local = bare.firstIndex(of: UInt8(ascii: "@")).map { asked[...$0] } ?? ""
    return local + domain + asked[bare.endIndex...]
  }
}
