// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML

/// What is said on the stream of a component that the server has let in, event by event, no I/O: stanzas, and signs of
/// life.
///
/// ``DomainPings`` tell whether the domain is ours, and later whether the server is still there. Where they do not come back
/// white space must do, and the kernel finds a dead connection.
struct ComponentSession {
  /// What is to be done.
  enum Effect {
    /// The domain is ours.
    case ready
    case send([UInt8])
    /// Tell of a stanza, in the namespace of clients.
    case deliver(Stanza, raw: Element)
    /// What came is no stanza for us.
    case drop(MalformedStanza)
    /// What was to be sent is no stanza of ours.
    case refuse
    case end(StreamEnd)
  }

  /// How many bytes of stanzas are kept until it is known whether the domain is ours: it takes as long as a ping.
  static let mostHeld = 1 << 20

  private let configuration: ComponentConfiguration
  private var keepAlive: KeepAlive
  private var pings: DomainPings
  private var lastSent: MonotonicTime
  /// What came before the domain was known to be ours.
  private var held: [(stanza: Stanza, raw: Element)] = []
  private var heldBytes = 0

  /// - Parameters:
  ///   - rhythm: for how long the stream may be silent.
  ///   - pingID: what our pings are known by; nobody else can know it.
  init(_ configuration: ComponentConfiguration, rhythm: KeepAliveRhythm, pingID: String, at now: MonotonicTime) {
    self.configuration = configuration
    keepAlive = KeepAlive(rhythm, at: now)
    pings = DomainPings(domain: configuration.domain, isBalanced: configuration.isBalanced, id: pingID, at: now)
    lastSent = now
  }

  /// For how long the stream may be silent, as far as it is known by now.
  var rhythm: KeepAliveRhythm { keepAlive.rhythm }

  // MARK: What we say

  /// Finds out whether what is for our domain comes to us.
  mutating func begin(at now: MonotonicTime) -> [Effect] { sendPings(at: now) }

  mutating func send(_ stanza: Element, at now: MonotonicTime) -> [Effect] {
    guard stanza.isStanza, stanza.attribute("from").map(isOurs) == true, stanza.attribute("to")?.isEmpty == false else {
      return [.refuse]
    }
    sent(at: now)
    if pings.state == .work, let id = stanza.iqID("get", "set") { keepAlive.sentQuestion(id, at: now) }
    return [say(stanza)]
  }

  /// Finds out soon whether the server is still there.
  mutating func check(at now: MonotonicTime) -> [Effect] {
    guard pings.state == .work else { return blank(at: now) }
    return carryOut(keepAlive.check(at: now), at: now)
  }

  // MARK: What happens

  /// Bytes came.
  mutating func heard(at now: MonotonicTime) { keepAlive.heard(at: now) }

  /// The connection was cut.
  mutating func cut() { keepAlive.cut() }

  /// The server sent an element.
  mutating func received(_ element: Element) -> [Effect] {
    // jabberd2 speaks to components as to clients.
    let element = element.moving(from: Namespace.component, to: Namespace.client)
    guard element.isStanza else { return [] }
    if pings.areAnswered(by: element) {
      let isReady = isReady
      pings.answered()
      keepAlive.answered()
      return isReady ? [] : becomeReady()
    }
    if let id = element.iqID("result", "error") { keepAlive.answered(id) }
    do throws(MalformedStanza) {
      let stanza = try Stanza(element)
      if pings.areOfAnother(stanza) { return [] }
      guard let to = stanza.to, let from = stanza.from else {
        throw MalformedStanza(.badRequest, "a component gets none without two addresses")
      }
      if to.domain == configuration.domain { return deliver(stanza, element) }
      // jabberd2 gives back what it cannot deliver with the addresses as they were.
      guard stanza.error != nil, from.domain == configuration.domain else {
        throw MalformedStanza(.badRequest, "it is not for our domain")
      }
      let turned = element.exchanging("from", "to")
      return deliver(try Stanza(turned), turned)
    } catch {
      return [.drop(error)]
    }
  }

  private var isReady: Bool { pings.state == .work || pings.state == .lost }

  private mutating func deliver(_ stanza: Stanza, _ raw: Element) -> [Effect] {
    guard !isReady else { return [.deliver(stanza, raw: raw)] }
    heldBytes += raw.storedBytes
    guard heldBytes <= Self.mostHeld else {
      return [
        .drop(MalformedStanza(.resourceConstraint, "too much came before it was known whether the domain is ours"))
      ]
    }
    held.append((stanza, raw))
    return []
  }

  private mutating func becomeReady() -> [Effect] {
    guard isReady else { return [] }
    defer { held = [] }
    return [.ready] + held.map { .deliver($0.stanza, raw: $0.raw) }
  }

  // MARK: Time

  /// When to call ``timePassed(at:)``.
  var deadline: MonotonicTime {
    switch pings.state {
    case .awaited: pings.deadline
    case .work: keepAlive.deadline
    case .lost, .taken: lastSent + KeepAliveRhythm.first
    }
  }

  mutating func timePassed(at now: MonotonicTime) -> [Effect] {
    guard now >= deadline else { return [] }
    switch pings.state {
    case .awaited:
      pings.timePassed(at: now)
      return pings.state == .taken ? [.end(taken)] : becomeReady()
    case .work: return keepAlive.timePassed(at: now).map { carryOut($0, at: now) } ?? []
    case .lost, .taken: return blank(at: now)
    }
  }

  /// Somebody else has what is for our domain. Whoever it is may go, or not be there any more.
  private var taken: StreamEnd {
    let text =
      configuration.isBalanced
      ? "Nothing that is for \(configuration.domain) comes to us: as many other programs are connected as "
        + "\(configuration.serverName) is set up for, or it believes so of a connection that has ended."
      : "Another program is connected as \(configuration.domain), and \(configuration.serverName) shares between the "
        + "two what is for it. If that is meant, set the parameter balanced."
    return StreamEnd(.streamError(.conflict), text, isFinal: false)
  }

  private mutating func carryOut(_ action: KeepAlive.Action, at now: MonotonicTime) -> [Effect] {
    switch action {
    case .blank: return blank(at: now)
    case .ask(let reason):
      keepAlive.asked(reason, at: now)
      return sendPings(at: now)
    case .giveUp:
      return [
        .end(
          StreamEnd(
            .timedOut,
            "\(configuration.serverName) does not answer any more: the network may be down, or the server, or another "
              + "program has connected as \(configuration.domain) and gets what is for us."))
      ]
    }
  }

  private mutating func blank(at now: MonotonicTime) -> [Effect] {
    sent(at: now)
    return [.send([UInt8(ascii: " ")])]
  }

  private mutating func sendPings(at now: MonotonicTime) -> [Effect] {
    sent(at: now)
    return pings.stanzas.map(say)
  }

  private mutating func sent(at now: MonotonicTime) {
    lastSent = now
    keepAlive.sent(at: now)
  }

  /// What declares no namespace is in that of the stream, and so a client's stanza that was put into another stays what it
  /// is.
  private func say(_ stanza: Element) -> Effect { .send(stanza.bytes(within: Namespace.client)) }

  /// Whether an address is of our domain, as prepared.
  private func isOurs(_ address: String) -> Bool {
    let bare = address.utf8.prefix { $0 != UInt8(ascii: "/") }
    let domain = bare.firstIndex(of: UInt8(ascii: "@")).map { bare[bare.index(after: $0)...] } ?? bare[...]
    return domain.elementsEqual(configuration.domain.utf8)
  }
}

extension Element {
  /// The element with the values of two attributes in each other's place.
  fileprivate func exchanging(_ one: String, _ other: String) -> Element {
    let values = [one: attribute(other), other: attribute(one)]
    return with(
      attributes: attributes.map { attribute in
        guard attribute.namespace.isEmpty, let value = values[attribute.name] ?? nil else { return attribute }
        return Attribute(attribute.name, value)
      })
  }
}
