// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML

/// A session from its beginning to its end, on one connection after another, event by event, no I/O: stanzas, and the
/// counting of them (XEP-0198).
///
/// Counting knows no sides: what ``StreamManagement`` calls the server is the client here.
struct ServerSession {
  /// Who is at the other end.
  enum Peer: Hashable {
    case client(FullJID)
    case component(domain: String)
  }

  /// What is to be done.
  enum Effect {
    case send([UInt8])
    /// Tell of a stanza.
    case deliver(Element)
    /// The session can be gone on with, under this name, when the connection is lost.
    case keep(id: String)
    /// The session is over. What is to be said comes before the end tag.
    case end(farewell: String)
  }

  /// A client asks for no longer than this.
  private static let longestLifetime: Int64 = 24 * 3600

  let peer: Peer
  private let configuration: ServerStreamConfiguration
  /// What the client is to call the session; nobody else can know it.
  private let id: String
  private(set) var management: StreamManagement?

  /// A session in which nothing was said yet.
  init(_ peer: Peer, _ configuration: ServerStreamConfiguration, id: String) {
    self.peer = peer
    self.configuration = configuration
    self.id = id
  }

  private var namespace: String {
    if case .component = peer { Namespace.component } else { Namespace.client }
  }

  /// For how long the session is kept when its connection is lost; nil where it is not.
  var lifetime: Duration? { management?.key?.lifetime }

  /// What the client has not said that it had, where that was counted.
  var unacknowledged: [Element] { management?.unacknowledged.map(\.element) ?? [] }

  // MARK: What we say

  mutating func send(_ stanza: Element, at now: MonotonicTime) -> [Effect] {
    let bytes = bytes(stanza)
    guard management != nil else { return [.send(bytes)] }
    count(stanza, at: now)
    if isFull { return [.send(bytes), .end(farewell: ServerHeader.error(.policyViolation))] }
    return [.send(bytes)] + ask(at: now)
  }

  /// Keeps a stanza for when the client comes back.
  mutating func keep(_ stanza: Element, at now: MonotonicTime) -> [Effect] {
    count(stanza, at: now)
    return isFull ? [.end(farewell: "")] : []
  }

  private mutating func count(_ stanza: Element, at now: MonotonicTime) {
    management?.sent(SentStanza(stanza, isMeant: false), bytes: stanza.storedBytes, at: now)
  }

  /// A client that says nothing of what it had makes us keep all of it.
  private var isFull: Bool {
    guard let management else { return false }
    return management.isFull || management.unacknowledgedCount > configuration.limits.unacknowledgedStanzas
  }

  private func bytes(_ stanza: Element) -> [UInt8] {
    stanza.moving(from: Namespace.client, to: namespace).bytes(within: namespace)
  }

  /// What to say before the end of the stream: how much we have had.
  var farewell: String { management?.answer.serialized(within: Namespace.client) ?? "" }

  // MARK: What is said

  /// The peer sent an element.
  mutating func received(_ element: Element, at now: MonotonicTime) -> [Effect] {
    if element.namespace == Namespace.management, case .client = peer { return receivedManagement(element, at: now) }
    if element.matches("error", Namespace.stream) { return [.end(farewell: "")] }
    guard element.namespace == namespace else { return [] }
    let element = element.moving(from: namespace, to: Namespace.client)
    guard element.isStanza else { return [.end(farewell: ServerHeader.error(.unsupportedStanzaType))] }
    management?.received()
    if case .component(let domain) = peer {
      let from = element.attribute("from").flatMap { try? JID($0) }
      guard from?.domain == domain else { return [.end(farewell: ServerHeader.error(.invalidFrom))] }
      return [.deliver(element)]
    }
    if let answer = answer(element) { return send(answer, at: now) }
    return [.deliver(element)]
  }

  /// The answer to what a client may still ask of the stream itself.
  private func answer(_ element: Element) -> Element? {
    guard case .iq(let iq)? = try? Stanza(element), iq.type == .set, let payload = iq.payload.first else { return nil }
    let answer: IQ
    if payload.matches("session", Namespace.session) {
      answer = IQ(.result, to: nil, id: iq.id)
    } else if payload.matches("bind", Namespace.bind) {
      // A stream has one resource (RFC 6120 §7.1).
      var refusal = IQ(.error, to: nil, id: iq.id)
      refusal.error = StanzaError(.notAllowed)
      answer = refusal
    } else {
      return nil
    }
    return answer.element
  }

  // MARK: Counting

  private mutating func receivedManagement(_ element: Element, at now: MonotonicTime) -> [Effect] {
    switch element.name {
    case "enable": return enable(element)
    case "resume": return [say(Self.failed(.unexpectedRequest))]
    case "r": return management.map { [say($0.answer)] } ?? []
    case "a":
      guard let sent = management?.sent else { return [] }
      guard let count = element.handledCount, management?.acknowledged(count) == true else {
        return [.end(farewell: StreamHeader.impossibleCount(element.handledCount, sent: sent))]
      }
      return ask(at: now)
    default: return []
    }
  }

  private mutating func enable(_ element: Element) -> [Effect] {
    guard let lifetime = configuration.resumptionTime else { return [say(Self.failed(.featureNotImplemented))] }
    guard management == nil else { return [say(Self.failed(.unexpectedRequest))] }
    var management = StreamManagement()
    let wanted = element.attribute("max").flatMap { Int64($0) } ?? Self.longestLifetime
    let seconds = max(0, min(wanted, lifetime.components.seconds, Self.longestLifetime))
    let isKept = element.attribute("resume").map(StreamManagement.isTrue) == true && seconds > 0
    let answer =
      isKept
      ? Element("enabled", Namespace.management, ["id": id, "resume": "true", "max": String(seconds)])
      : Element("enabled", Namespace.management)
    management.enabled(answer)
    self.management = management
    return [say(answer)] + (isKept ? [.keep(id: id)] : [])
  }

  /// Refuses what is said of counting (XEP-0198 §7).
  /// - Parameter handled: how much a session had had that is over.
  static func failed(_ condition: StanzaError.Condition, handled: UInt32? = nil) -> Element {
    Element(
      "failed", Namespace.management, ["h": handled.map { String($0) }],
      children: [Element(condition.rawValue, Namespace.stanzaErrors)])
  }

  /// When to call ``timePassed(at:)``; nil while there is nothing to ask.
  var deadline: MonotonicTime? { management?.nextQuestion }

  mutating func timePassed(at now: MonotonicTime) -> [Effect] { ask(at: now) }

  /// Asks the client how much it has had, when it is time.
  private mutating func ask(at now: MonotonicTime) -> [Effect] {
    guard let due = management?.nextQuestion, due <= now else { return [] }
    management?.asked()
    return [say(StreamManagement.question)]
  }

  private func say(_ element: Element) -> Effect { .send(element.bytes(within: namespace)) }

  // MARK: On another connection

  /// The client comes back, having had so many of our stanzas in all.
  /// - Returns: what to say to it; nil where it cannot have had as many.
  mutating func resume(handled: UInt32, at now: MonotonicTime) -> [Effect]? {
    guard case .client(let jid) = peer, let resumption = management?.resumption(of: jid, at: now),
      let missed = resumption.unacknowledged(after: handled)
    else { return nil }
    management = StreamManagement(resumption, acknowledged: handled)
    let answer = Element("resumed", Namespace.management, ["h": String(resumption.handled), "previd": id])
    var effects = [say(answer)]
    for stanza in missed {
      effects.append(.send(bytes(stanza.element)))
      count(stanza.element, at: now)
    }
    return effects + ask(at: now)
  }

  /// What is wrong with such a count, to be said before the end of the stream.
  func impossibleCount(_ handled: UInt32) -> String {
    StreamHeader.impossibleCount(handled, sent: management?.sent ?? 0)
  }
}
