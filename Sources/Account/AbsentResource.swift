// SPDX-License-Identifier: Apache-2.0

internal import XML
internal import XMPP

/// How our server answers for a resource that is not there, learned by asking it about one of our own.
///
/// Servers differ: some echo the payload, before or after the error; some add a text or a legacy code; some bounce
/// a groupchat message and some swallow it. Whoever hides must answer as the server would, so the shape is taken
/// from the server's own answer and not from its name.
struct AbsentResource: Hashable, Sendable {
  /// Where the payload of an IQ goes in the answer.
  enum Echo: Hashable, Sendable {
    case none, beforeError, afterError
  }

  /// The shape of one kind of answer.
  struct Shape: Hashable, Sendable {
    var echo: Echo
    var error: Element

    /// Reads the shape out of an answer to a stanza that carried `probe`.
    init?(answer: Element, probe: (name: String, namespace: String)) {
      let children = Array(answer.children)
      guard let error = children.firstIndex(where: { $0.name == "error" }) else { return nil }
      self.error = children[error]
      let echoed = children.firstIndex { $0.name == probe.name && $0.namespace == probe.namespace }
      echo = echoed.map { $0 < error ? .beforeError : .afterError } ?? .none
    }

    init(echo: Echo, error: Element) {
      self.echo = echo
      self.error = error
    }

    func children(echoing payload: [Element]) -> [Element] {
      switch echo {
      case .none: [error]
      case .beforeError: payload + [error]
      case .afterError: [error] + payload
      }
    }
  }

  /// The payload of our own questions: nothing that a server could know.
  static let probe = (name: "query", namespace: "urn:nightcloak:absent")
  static var probePayload: Element { Element(probe.name, probe.namespace) }

  private static let clientNamespace = "jabber:client"
  private static let plain = Shape(
    echo: .none,
    error: Element(
      "error", clientNamespace, ["type": "cancel"],
      children: [Element("service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas")]))

  /// The answer to an IQ. Until it is learned, the one that RFC 6121 §8.5.3.2.3 asks for.
  var iq = AbsentResource.plain
  /// The answer to a groupchat message; `nil` where the server swallows it.
  var groupchat: Shape?
  /// The answer to a normal message without a body, which one server bounces and others swallow.
  var emptyMessage: Shape?

  /// The questions that are put to a resource of ours that is not there. The IQ comes last: stanzas are answered in
  /// order on one stream, so its answer says that no bounce will come any more.
  static func messages(to absent: JID) -> [Message] {
    [
      Message(to: absent, type: .groupchat, id: groupchatID, payload: [probePayload]),
      Message(to: absent, type: .normal, id: emptyMessageID, payload: [doNotStore]),
    ]
  }

  /// Keeps the server from handing the message to our own other devices later on (XEP-0334).
  private static var doNotStore: Element { Element("no-store", "urn:xmpp:hints") }
  private static let groupchatID = "groupchat"
  private static let emptyMessageID = "empty"

  /// Takes the shapes of the server's answers.
  mutating func learn(from answers: [Element]) {
    for answer in answers {
      guard let shape = Shape(answer: answer, probe: Self.probe) else { continue }
      switch (answer.name, answer.attribute("id")) {
      case ("iq", _): iq = shape
      case ("message", Self.groupchatID): groupchat = shape
      case ("message", Self.emptyMessageID): emptyMessage = shape
      default: break
      }
    }
  }

  /// What goes back for a stanza from outside; `nil` where silence is what the server would give.
  func answer(to stanza: Stanza, _ raw: Element) -> Element? {
    let shape: Shape?
    switch stanza {
    case .iq: shape = iq
    case .message(let message): shape = message.isEmptyNormal ? emptyMessage : groupchat
    case .presence: shape = nil
    }
    // No `from`: the server stamps it, and with the very JID that was asked.
    return shape.map { shape in
      Element(
        raw.name, raw.namespace, ["to": stanza.from?.description, "id": stanza.id, "type": "error"],
        children: shape.children(echoing: raw.children))
    }
  }
}

/// A question to a resource that is not there, and all that came back for it.
struct AbsentProbe {
  let jid: JID
  var answers: [Element] = []
}

extension Message {
  /// Whether this is a normal message that says nothing at all.
  var isEmptyNormal: Bool { type == .normal && payload.isEmpty }
}
