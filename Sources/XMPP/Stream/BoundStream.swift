// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML

/// What is said on a stream beside the stanzas once it is bound or resumed, event by event, no I/O: counts
/// (XEP-0198), signs of life (RFC 6120 §4.6, XEP-0199) and whether somebody is looking (XEP-0352).
struct BoundStream {
  /// What is to be done.
  enum Effect {
    case send([UInt8])
    /// Tell of a stanza.
    case deliver(Element)
    /// The stream is over. What is to be said to the server comes before its end tag.
    case end(StreamEnd, farewell: String)
  }

  private let jid: FullJID
  private let serverName: String
  private let offersClientState: Bool
  /// The id of the pings: nobody else can know it.
  private let pingID: String
  private(set) var management: StreamManagement?
  private var keepAlive: KeepAlive
  private var isActive = true

  /// A stream on which nothing was said yet.
  /// - Parameters:
  ///   - jid: our address.
  ///   - features: what the server offers.
  ///   - management: how far a resumed session has come; nil for a new one.
  ///   - rhythm: for how long it may be silent.
  ///   - pingID: the id of our pings, which nobody else can know.
  ///   - serverName: what people call the server.
  init(
    _ jid: FullJID, _ features: StreamFeatures, management: StreamManagement?, rhythm: KeepAliveRhythm,
    pingID: String, serverName: String, at now: MonotonicTime
  ) {
    self.jid = jid
    self.management = management
    self.pingID = pingID
    self.serverName = serverName
    offersClientState = features.offersClientState
    keepAlive = KeepAlive(rhythm, at: now)
  }

  /// For how long the stream may be silent, as far as it is known by now.
  var rhythm: KeepAliveRhythm { keepAlive.rhythm }

  // MARK: What we say

  /// Asks the server to count, and to keep the session when the connection is cut.
  mutating func enableManagement(at now: MonotonicTime) -> [Effect] {
    management = StreamManagement()
    keepAlive.asked(.management, at: now)
    return [say(StreamManagement.request)]
  }

  mutating func send(_ stanza: SentStanza, at now: MonotonicTime) -> [Effect] {
    let bytes = stanza.element.bytes(within: Namespace.client)
    keepAlive.sent(at: now)
    if let id = stanza.element.iqID("get", "set") { keepAlive.sentQuestion(id, at: now) }
    guard management != nil, stanza.element.isStanza else { return [.send(bytes)] }
    management?.sent(stanza, bytes: bytes.count, at: now)
    var effects = [Effect.send(bytes)]
    if let due = management?.nextQuestion, due <= now { effects += askForCount(at: now) }
    if management?.isFull == true {
      let end = StreamEnd(
        .network,
        "\(serverName) has not confirmed what it was sent for too long: it does not keep up, or the network does not.")
      effects.append(.end(end, farewell: ""))
    }
    return effects
  }

  /// Keeps a stanza that comes too late to be sent, for the next stream.
  mutating func keep(_ stanza: SentStanza, at now: MonotonicTime) {
    if stanza.element.isStanza { management?.sent(stanza, bytes: 0, at: now) }
  }

  mutating func setActive(_ isActive: Bool) -> [Effect] {
    guard offersClientState, isActive != self.isActive else { return [] }
    self.isActive = isActive
    return [say(Element(isActive ? "active" : "inactive", Namespace.clientState))]
  }

  /// Finds out soon whether the server is still there.
  mutating func check(at now: MonotonicTime) -> [Effect] { carryOut(keepAlive.check(at: now), at: now) }

  /// What to say before the stream's end: without it the server would take for lost what we have had, and tell those
  /// who sent it.
  var farewell: String {
    guard let management, management.isEnabled else { return "" }
    return management.answer.serialized(within: Namespace.client)
  }

  // MARK: What happens

  /// Bytes came.
  mutating func heard(at now: MonotonicTime) { keepAlive.heard(at: now) }

  /// The server sent an element.
  mutating func received(_ element: Element, at now: MonotonicTime) -> [Effect] {
    if element.namespace == Namespace.management { return receivedManagement(element) }
    guard element.isStanza else { return [] }
    management?.received()
    if let id = element.iqID("result", "error") {
      // Only the server could know the id, so it does not matter in whose name it answers.
      if id == pingID {
        keepAlive.answered()
        return []
      }
      keepAlive.answered(id)
    }
    return [.deliver(element)]
  }

  /// The server sent an element after we have ended the stream: only what it had of ours is still of interest.
  mutating func receivedLate(_ element: Element) {
    guard element.matches("a", Namespace.management), let count = element.handledCount else { return }
    _ = management?.acknowledged(count)
  }

  /// The connection was cut.
  mutating func cut() { keepAlive.cut() }

  private mutating func receivedManagement(_ element: Element) -> [Effect] {
    // The machine itself is not copied: what waits in it can be much.
    switch (element.name, management?.isEnabled) {
    case ("r", true): return management.map { [say($0.answer)] } ?? []
    case ("a", true): return receivedCount(element)
    case ("enabled", false):
      management?.enabled(element)
      keepAlive.answered()
    case ("failed", false):
      management = nil
      keepAlive.answered()
    // What nobody asked for.
    default: break
    }
    return []
  }

  private mutating func receivedCount(_ element: Element) -> [Effect] {
    let sent = management?.sent ?? 0
    guard let count = element.handledCount, management?.acknowledged(count) == true else {
      return [.end(.impossibleCount, farewell: StreamHeader.impossibleCount(element.handledCount, sent: sent))]
    }
    keepAlive.answered()
    return []
  }

  // MARK: Time

  /// When to call ``timePassed(at:)``.
  var deadline: MonotonicTime {
    let deadline = keepAlive.deadline
    return management?.nextQuestion.map { min($0, deadline) } ?? deadline
  }

  mutating func timePassed(at now: MonotonicTime) -> [Effect] {
    var effects: [Effect] = []
    if let due = management?.nextQuestion, due <= now { effects = askForCount(at: now) }
    return effects + (keepAlive.timePassed(at: now).map { carryOut($0, at: now) } ?? [])
  }

  private mutating func carryOut(_ action: KeepAlive.Action, at now: MonotonicTime) -> [Effect] {
    switch action {
    case .blank:
      keepAlive.sent(at: now)
      return [.send([UInt8(ascii: " ")])]
    case .ask(let reason):
      keepAlive.asked(reason, at: now)
      return ask(at: now)
    case .giveUp:
      let end = StreamEnd(
        .timedOut, "\(serverName) does not answer any more: the network may be down, or the server.")
      return [.end(end, farewell: "")]
    }
  }

  /// Asks for something that the server itself has to answer.
  private mutating func ask(at now: MonotonicTime) -> [Effect] {
    guard let management else {
      // It goes to our own server and says nothing: who may know that we are here makes no difference to it.
      let ping = IQ(.get, to: jid.bare.server, id: pingID, payload: [Element("ping", Namespace.ping)])
      return [say(ping.element)]
    }
    // The answer to the request for management is owed already.
    return management.isEnabled ? askForCount(at: now) : [.send([UInt8(ascii: " ")])]
  }

  private mutating func askForCount(at now: MonotonicTime) -> [Effect] {
    management?.asked()
    keepAlive.asked(.management, at: now)
    return [say(StreamManagement.question)]
  }

  private func say(_ element: Element) -> Effect { .send(element.bytes(within: Namespace.client)) }

  // MARK: The end

  /// What it takes to go on with the session; nil where the server does not keep it.
  func resumption(at now: MonotonicTime) -> Resumption? { management?.resumption(of: jid, at: now) }
}

extension Element {
  /// Whether it is one of those that are counted (XEP-0198 §4).
  var isStanza: Bool {
    namespace == Namespace.client && (name == "message" || name == "presence" || name == "iq")
  }

  /// The id of an IQ of one of these types; nil for anything else.
  func iqID(_ types: String...) -> String? {
    guard matches("iq", Namespace.client), let type = attribute("type"), types.contains(type) else { return nil }
    return attribute("id")
  }

  /// How many stanzas the server says that it has had.
  var handledCount: UInt32? { attribute("h").flatMap { UInt32($0) } }
}

extension StreamEnd {
  /// A count of stanzas that cannot be.
  static var impossibleCount: StreamEnd {
    StreamEnd(.protocol, "The server confirms what it was never sent: the session cannot be trusted any more.")
  }
}

extension StreamHeader {
  /// What is wrong with a count, to be said before the end of the stream (XEP-0198 §6).
  static func impossibleCount(_ count: UInt32?, sent: UInt32) -> String {
    let details = Element(
      "handled-count-too-high", Namespace.management, ["h": count.map { String($0) }, "send-count": String(sent)])
    let condition = Element("undefined-condition", Namespace.streamErrors)
    return "<stream:error>\(condition.serialized(within: Namespace.client))"
      + "\(details.serialized(within: Namespace.client))</stream:error>"
  }
}
