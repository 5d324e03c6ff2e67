// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

/// How our server answers for a resource that is not there, learned by asking it about one of our own.
///
/// Servers differ: some echo the payload, before or after the error; some add a text in the asker's language, or a
/// legacy code; some bounce a groupchat message and some swallow it; one reverses the order of attributes whenever a
/// stanza passes. Whoever hides must answer as the server would, so the shape is taken from the server's own answer
/// and not from its name.
struct AbsentResource: Hashable, Sendable {
  /// Where the payload goes in the answer.
  enum Echo: Hashable, Sendable {
    case none, beforeError, afterError
  }

  /// The shape of one kind of answer.
  struct Shape: Hashable, Sendable {
    var echo: Echo
    var error: Element
    /// The language that the answer names.
    var language: String?

    /// Reads the shape out of an answer to a stanza that carried `probe`; `nil` where it is no error.
    init?(answer: Element, probe: Element) {
      let children = answer.children
      guard answer.attribute("type") == "error", let error = children.firstIndex(where: { $0.name == "error" }) else {
        return nil
      }
      self.error = children[error]
      let echoed = children.firstIndex { $0.matches(probe.name, probe.namespace) }
      echo = echoed.map { $0 < error ? .beforeError : .afterError } ?? .none
      language = answer.ownLanguage
    }

    init(echo: Echo, error: Element) {
      self.echo = echo
      self.error = error
    }
  }

  private static let plain = Shape(
    echo: .none,
    error: Element(
      "error", "jabber:client", ["type": "cancel"],
      children: [Element("service-unavailable", errors)]))
  private static let errors = "urn:ietf:params:xml:ns:xmpp-stanzas"

  /// The answer to an IQ get or set. Until it is learned, the one that RFC 6121 §8.5.3.2.3 asks for.
  var iq = AbsentResource.plain
  /// The answer to an IQ result; `nil` where the server swallows it.
  var result: Shape?
  /// The answer to a groupchat message; `nil` where the server swallows it.
  var groupchat: Shape?
  /// The answers to chat and normal messages that the server would not keep for later; `nil` while unknown.
  var passing: PassingMessages?
  /// Whether the server reverses the order of attributes in what a client sends.
  var isReversing = false
  /// The errors in the languages that askers have named, most recent last.
  private(set) var translations: [Translation] = []

  /// What the server answers to messages that it would not keep, and when we asked: it depends on whether another
  /// device of ours is there to take them.
  struct PassingMessages: Hashable, Sendable {
    var unstored: Shape?
    var empty: Shape?
    var learnedAt: Instant
  }

  struct Translation: Hashable, Sendable {
    var language: String
    var error: Element
  }

  /// As many languages as are remembered: others ask in them, so there is a limit. One that was forgotten is learned
  /// anew.
  static let mostTranslations = 32

  mutating func remember(_ error: Element, in language: String) {
    translations.removeAll { $0.language == language }
    if translations.count == Self.mostTranslations { translations.removeFirst() }
    translations.append(Translation(language: language, error: error))
  }

  // MARK: What is still to be learned

  /// Something to ask the server before a stanza can be answered.
  enum Lesson: Hashable, Sendable {
    /// The text of the error in a language.
    case language(String)
    /// Whether messages come back that nobody keeps.
    case passingMessages
  }

  /// How long an answer to ``Lesson/passingMessages`` is good for, in nanoseconds.
  static let passingLimit: Int64 = 30_000_000_000
  /// What `xml:lang` can be at its longest (RFC 5646 §4.4.1 asks for 35); another is no language.
  private static let longestLanguage = 35

  /// What must be learned before `stanza` can be answered.
  func lesson(for stanza: Stanza, _ raw: Element, at now: Instant) -> Lesson? {
    if case .message(let message) = stanza, message.type != .groupchat, groupchat != nil {
      guard let passing, now.nanoseconds - passing.learnedAt.nanoseconds < Self.passingLimit else {
        return .passingMessages
      }
    }
    guard let shape = shape(for: stanza), shape.error.child("text", Self.errors) != nil,
      let language = raw.ownLanguage, language != shape.language, language.utf8.count <= Self.longestLanguage,
      !translations.contains(where: { $0.language == language })
    else { return nil }
    return .language(language)
  }

  // MARK: Answers

  private func shape(for stanza: Stanza) -> Shape? {
    switch stanza {
    case .iq(let question):
      switch question.type {
      case .get, .set: return iq
      case .result: return result
      case .error: return nil
      }
    case .message(let message):
      if message.type == .groupchat { return groupchat }
      return message.isUnstored ? passing?.unstored : passing?.empty
    case .presence: return nil
    }
  }

  /// What goes back for a stanza from outside; `nil` where silence is what the server would give.
  /// - Parameter raw: the stanza as it came. What the answer repeats of it is repeated as it stands there.
  func answer(to stanza: Stanza, _ raw: Element) -> Element? {
    guard let shape = shape(for: stanza) else { return nil }
    var error = shape.error
    if let language = raw.ownLanguage, language != shape.language,
      let translation = translations.last(where: { $0.language == language })
    {
      error = translation.error
    }
    // Our server would end our stream over what it says itself: strangers must not be able to make it.
    let echo = raw.writtenBytes > Self.mostEchoedBytes ? .none : shape.echo
    let attributes = attributes(of: stanza, raw, isEchoed: echo != .none)
    let answer =
      switch echo {
      case .none: raw.with(attributes: attributes, only: error)
      case .beforeError: raw.with(attributes: attributes, adding: error, isFirst: false)
      case .afterError: raw.with(attributes: attributes, adding: error, isFirst: true)
      }
    return isReversing ? answer.attributesReversed : answer
  }

  /// Bytes of a stanza that is sent back with the error. Servers take at most 256 KiB from a client, and write more of that
  /// to another.
  static let mostEchoedBytes = 192 << 10

  /// The question's attributes turned round, in their order: one server keeps it, and what it does not know.
  private func attributes(of stanza: Stanza, _ raw: Element, isEchoed: Bool) -> [Element.Attribute] {
    var attributes: [Element.Attribute] = []
    var isTyped = false
    var isAddressed = false
    for var attribute in raw.attributes {
      switch attribute.namespace.isEmpty ? attribute.name : "" {
      case "to":
        attribute.value = raw.attribute("from") ?? ""
        isAddressed = true
      case "from":
        // Without it the server stamps it, with the very JID that was asked; where it keeps the order, it would put
        // it in front.
        guard isReversing, let to = stanza.to else { continue }
        attribute.value = to.description
      case "type":
        attribute.value = "error"
        isTyped = true
      case "id": break
      default: guard isEchoed else { continue }
      }
      attributes.append(attribute)
    }
    if !isAddressed, let from = raw.attribute("from") { attributes.append(Element.Attribute("to", from)) }
    if !isTyped { attributes.append(Element.Attribute("type", "error")) }
    return attributes
  }
}

extension Message {
  /// Whether its sender wants no server to keep it (XEP-0334 §4.2).
  var isUnstored: Bool { payload.contains { $0.matches("no-store", "urn:xmpp:hints") } }

  /// Whether servers that keep messages for later would not keep this one: it says nothing that lasts.
  var isPassing: Bool {
    if isUnstored { return true }
    return payload.allSatisfy { element in
      element.matches("thread", "jabber:client") || Self.passing.contains(element.namespace)
    }
  }

  /// Namespaces of what is said for the moment alone (XEP-0085, XEP-0022), or about a message (XEP-0203).
  private static let passing: Set = [
    "http://jabber.org/protocol/chatstates", "jabber:x:event", "urn:xmpp:delay", "jabber:x:delay",
  ]
}
