// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
package import XML
public import XMPP

// What a person's programs say and handle over our stream. Every stanza passes the doorkeeper; what arrives for them:
// `Account+Handing.swift`.

extension Account {
  // MARK: Handlers

  /// Lets a program handle protocols: questions in these namespaces go to it alone, messages too, and the namespaces are
  /// added to what we can do.
  /// - Parameters:
  ///   - namespaces: of the protocols; `jabber:client` stands for what people write to each other.
  ///   - takesMessages: whether it is given all messages that no other handles.
  ///   - client: names the program.
  /// - Throws: ``AccountError``.
  public func addHandler(
    _ namespaces: [String], takesMessages: Bool, for client: String
  ) throws(AccountError) {
    try handlers.add(namespaces, takesMessages: takesMessages, for: client)
    handlersChanged()
  }

  /// A program handles these no longer; nothing any more where none is named.
  public func removeHandler(_ namespaces: [String], for client: String) {
    handlers.remove(namespaces, for: client)
    handlersChanged()
  }

  /// A program is gone. What it was asked is answered as what nobody handles.
  public func clientLeft(_ client: String) {
    handedIQs.leave(to: client)
    // Most that leave the bus, as every busctl does at once, were nothing to us: then there is no hash to be made anew.
    guard handlers.knows(client) else { return }
    handlers.removeClient(client)
    handlersChanged()
  }

  /// Tells those who may know what we can do now.
  private func handlersChanged() {
    ownCapabilities = OwnCapabilities(handled: handlers.features)
    var new = presence
    new.capabilities = ownCapabilities.element
    new.priority = usualPriority
    guard new != presence else { return }
    hasNewCapabilities = hasNewCapabilities || new.capabilities != presence.capabilities
    presence = new
    hasNewPresence = true
    sayPresence()
  }

  /// The priority that holds unless a person chose one.
  var usualPriority: Int8 { chosenPriority ?? (handlers.takesMessages ? 0 : -1) }

  // MARK: Questions

  /// Asks somebody, or our own account or server, and returns what the answer carries.
  /// - Parameters:
  ///   - type: get or set.
  ///   - to: whom; `nil` is our own account.
  ///   - payload: XML, one element.
  ///   - reveal: that we mean it although it tells somebody outside that we are online.
  ///   - limit: how long to wait.
  /// - Returns: XML; empty where the answer carries nothing.
  /// - Throws: ``AccountError``; an answer that is an error is `serverRefused`.
  public func sendIQ(
    _ type: IQ.Kind, to: JID?, payload text: String, reveal: Bool, limit: Duration
  ) async throws(AccountError) -> String {
    let payload = try StanzaPayload.ofIQ(text)
    guard !ServiceNamespaces.areOurs(payload.namespace) else {
      throw AccountError(
        .invalidArgument,
        "\"\(payload.namespace)\" belongs to the daemon, which uses it to keep you hidden: use Visibility and Connection."
      )
    }
    try requireConnected()
    if !reveal, type == .set, ServiceNamespaces.arePassedOn(payload.namespace) {
      throw .wouldReveal("those to whom the server passes it on")
    }
    if !reveal, type == .set, ServiceNamespaces.areTold(payload.namespace), to.map({ $0.bare == jid }) ?? true,
      audience.link == .uncovered || audience.link == .exposed
    {
      throw .wouldReveal("your contacts")
    }
    guard outstandingIQs < Self.mostOutstandingIQs else {
      throw AccountError(.limitExceeded, "\(Self.mostOutstandingIQs) questions wait for an answer already.")
    }
    outstandingIQs += 1
    defer { outstandingIQs -= 1 }
    if reveal, let to { noteRevealed(to) }
    let session = sessionSerial
    let call = JingleCall(payload)
    // What is going to be refused is no exchange.
    if let to, reveal || audience.contains(Address(to)) { noteExchange(with: to, call: call) }
    do throws(AccountError) {
      let answer = try await requests.exchange(type, to: to, payload: payload, reveal: reveal, limit: limit)
      if let to, sessionSerial == session { settleExchange(with: to, call, wasRefused: answer.type == .error) }
      guard answer.type == .result else {
        throw AccountError.refused(answer, by: to?.description ?? "The server")
      }
      return answer.payload.first?.serialized(within: StanzaPayload.namespace) ?? ""
    } catch {
      if error.code == .timedOut, let to, sessionSerial == session { settleExchange(with: to, call, wasRefused: false) }
      throw error
    }
  }

  /// Answers a question that was handed to a program.
  /// - Parameters:
  ///   - id: the question's.
  ///   - isError: whether the answer is an error.
  ///   - payload: XML: nothing or one element; for an error nothing or the `<error/>`.
  ///   - client: the program.
  /// - Throws: ``AccountError``.
  public func answerIQ(_ id: String, isError: Bool, payload text: String, from client: String) throws(AccountError) {
    let (question, answer) = try handedIQs.answer(to: id, of: client, isError: isError, payload: text)
    try requireConnected()
    handedIQs.settle(id)
    // Whatever was handed has both.
    guard let from = question.iq.from else { return }
    guard audience.contains(Address(from)) else {
      doorkeeper.unmatched(.iq(question.iq), question.raw)
      throw AccountError(
        .wouldReveal, "\(from) must not know any more that you are online, and was answered as if you were not.")
    }
    doorkeeper.send(.iq(answer))
    noteExchange(with: from, call: nil)
    settleExchange(with: from, question.iq.payload.first.flatMap(JingleCall.init), wasRefused: isError)
  }

  // MARK: Messages

  /// Sends a message.
  /// - Parameters:
  ///   - type: any but error.
  ///   - to: whom.
  ///   - payload: XML, elements beside each other.
  ///   - reveal: that we mean it although it tells somebody outside that we are online.
  ///   - client: the program that sends it; it is told when the message comes back.
  /// - Returns: the message's id.
  /// - Throws: ``AccountError``.
  public func sendMessage(
    _ type: Message.Kind, to: JID, payload text: String, reveal: Bool, from client: String
  ) throws(AccountError) -> String {
    let payload = try StanzaPayload.ofMessage(text)
    try requireConnected()
    // Our server, who may know, or a contact's, would pass it on to others (XEP-0033).
    guard reveal || !payload.contains(where: { $0.matches("addresses", "http://jabber.org/protocol/address") }) else {
      throw .wouldReveal("those whom it names as further receivers")
    }
    let id = RandomName.make()
    try doorkeeper.send(.message(Message(to: to, type: type, id: id, payload: payload)), reveal: reveal)
    if reveal { noteRevealed(to) }
    handlers.noteSent(id, by: client)
    noteExchange(with: to, call: nil)
    return id
  }

  // MARK: What it means for sessions

  /// Questions of programs that wait at once: fewer than there can be, since the account has questions of its own.
  static let mostOutstandingIQs = 64

  /// Somebody outside is told our full JID, and may ask for it when we are hidden.
  private func noteRevealed(_ to: JID) {
    if !audience.contains(Address(to)) { isResourceKnown = true }
  }

  /// Stanzas go to and fro with somebody: the session goes on, and may be for a call.
  func noteExchange(with jid: JID, call: JingleCall?) {
    let (address, now) = (Address(jid), now)
    if call?.action == .initiate, audience.contains(address), let id = call?.id { calls.began(id, with: address) }
    decide { decloak, audience in decloak.exchanged(with: address, audience: &audience, now: now) }
  }

  /// A question is answered: where it was the end of the last call, the session was for no more.
  func settleExchange(with jid: JID, _ call: JingleCall?, wasRefused: Bool) {
    let address = Address(jid)
    guard let call, call.action == .terminate || wasRefused, let last = calls.ended(call.id, with: address),
      call.action == .terminate
    else { return }
    decide { decloak, audience in decloak.callEnded(with: address, last, audience: &audience) }
  }
}

/// The begin or the end of a call, as it stands in a question (XEP-0166 §6.2, §6.7).
package struct JingleCall: Hashable, Sendable {
  package enum Action: String, Hashable, Sendable {
    case initiate = "session-initiate"
    case terminate = "session-terminate"
  }
  package let action: Action
  package let id: String

  /// `nil` for anything else.
  package init?(_ payload: Element) {
    guard payload.matches("jingle", "urn:xmpp:jingle:1"),
      let action = payload.attribute("action").flatMap(Action.init), let id = payload.attribute("sid"),
      id.utf8.count <= 256
    else { return nil }
    self.action = action
    self.id = id
  }
}
