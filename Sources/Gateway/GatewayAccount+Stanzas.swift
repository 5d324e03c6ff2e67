// SPDX-License-Identifier: Apache-2.0

public import Account
internal import Audience
internal import EventLoop
internal import XML
public import XMPP

// What a person's programs say and handle over our stream. Every stanza passes the doorkeeper; what arrives for them:
// `GatewayAccount+Handing.swift`.

extension GatewayAccount {
  /// Questions of programs that wait at once: fewer than there can be, since the gateway has questions of its own.
  static let mostOutstandingIQs = 192

  // MARK: Handlers

  /// Lets a program handle protocols: questions in these namespaces go to it alone, messages too, and the namespaces are
  /// added to what our addresses can do.
  /// - Parameters:
  ///   - namespaces: of the protocols; `jabber:client` stands for what people write to each other.
  ///   - takesMessages: whether it is given all messages that no other handles.
  ///   - wantsWhole: whether it is handed whole stanzas: only those say which of our addresses is meant.
  ///   - client: names the program.
  /// - Throws: ``AccountError``.
  public func addHandler(
    _ namespaces: [String], takesMessages: Bool, wantsWhole: Bool, for client: String
  ) throws(AccountError) {
    try handlers.add(namespaces, takesMessages: takesMessages, wantsWhole: wantsWhole, for: client)
    capabilitiesChanged()
  }

  /// A program handles these no longer; nothing any more where none is named.
  public func removeHandler(_ namespaces: [String], for client: String) {
    handlers.remove(namespaces, for: client)
    capabilitiesChanged()
  }

  /// A program is gone. What it was asked is answered as what nobody handles.
  public func clientLeft(_ client: String) {
    handlers.removeClient(client)
    handedIQs.leave(to: client)
    capabilitiesChanged()
  }

  // MARK: Questions

  /// Asks somebody on behalf of one of our addresses, and returns what the answer carries.
  /// - Parameters:
  ///   - type: get or set.
  ///   - to: whom.
  ///   - from: an address of ours, with or without a resource.
  ///   - payload: XML, one element.
  ///   - reveal: that we mean it although it tells somebody outside that the address is there.
  ///   - limit: how long to wait.
  /// - Returns: XML; empty where the answer carries nothing.
  /// - Throws: ``AccountError``; an answer that is an error is `serverRefused`.
  public func sendIQ(
    _ type: IQ.Kind, to: JID, from: JID, payload text: String, reveal: Bool, limit: Duration
  ) async throws(AccountError) -> String {
    let payload = try StanzaPayload.ofIQ(text)
    _ = try own(from)
    guard !ServiceNamespaces.areOurs(payload.namespace) else {
      throw AccountError(
        .invalidArgument, "\"\(payload.namespace)\" belongs to the daemon: use Visibility and Connection.")
    }
    try requireConnected()
    guard outstandingIQs < Self.mostOutstandingIQs else {
      throw AccountError(.limitExceeded, "\(Self.mostOutstandingIQs) questions wait for an answer already.")
    }
    outstandingIQs += 1
    defer { outstandingIQs -= 1 }
    let serial = streamSerial
    let call = JingleCall(payload)
    noteExchange(of: from, with: to, call: call)
    do throws(AccountError) {
      let answer = try await requests.exchange(
        type, to: to, from: from, payload: payload, reveal: reveal, limit: limit)
      if streamSerial == serial { settleExchange(of: from, with: to, call, wasRefused: answer.type == .error) }
      guard answer.type == .result else { throw AccountError.refused(answer, by: to.description) }
      return answer.payload.first?.serialized(within: StanzaPayload.namespace) ?? ""
    } catch {
      if error.code == .timedOut, streamSerial == serial {
        settleExchange(of: from, with: to, call, wasRefused: false)
      }
      throw error
    }
  }

  /// Answers a question that was handed to a program, in the name of the address that was asked.
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
    guard let from = question.iq.from, let to = question.iq.to else { return }
    guard gateway.shows(BareAddress(to.bare), to: Address(from)) else {
      doorkeeper.imitate(.iq(question.iq), question.raw)
      throw AccountError(
        .wouldReveal, "\(from) must not know any more that \(to) is there, and was answered as if it were not.")
    }
    self.answer(question.iq, answer)
    noteExchange(of: to, with: from, call: nil)
    settleExchange(of: to, with: from, question.iq.payload.first.flatMap(JingleCall.init), wasRefused: isError)
  }

  // MARK: Messages

  /// Sends a message on behalf of one of our addresses.
  /// - Parameters:
  ///   - type: any but error.
  ///   - to: whom.
  ///   - from: an address of ours, with or without a resource.
  ///   - payload: XML, elements beside each other.
  ///   - reveal: that we mean it although it tells somebody outside that the address is there.
  ///   - client: the program that sends it; it is told when the message comes back.
  /// - Returns: the message's id.
  /// - Throws: ``AccountError``.
  public func sendMessage(
    _ type: Message.Kind, to: JID, from: JID, payload text: String, reveal: Bool, from client: String
  ) throws(AccountError) -> String {
    let payload = try StanzaPayload.ofMessage(text)
    _ = try own(from)
    try requireConnected()
    let id = RandomName.make()
    var message = Message(to: to, type: type, id: id, payload: payload)
    message.from = from
    try doorkeeper.send(.message(message), reveal: reveal)
    handlers.noteSent(id, by: client)
    noteExchange(of: from, with: to, call: nil)
    return id
  }

  // MARK: What it means for sessions

  /// Stanzas go to and fro with somebody: the session goes on, and may be for a call.
  func noteExchange(of own: JID, with jid: JID, call: JingleCall?) {
    let (target, address, now) = (BareAddress(own.bare), Address(jid), now)
    if call?.action == .initiate, let id = call?.id { doorkeeper.gateway.callBegan(id, with: address, at: target) }
    decide { $0.exchanged(with: address, at: target, now: now) }
    follow(target, with: address.account)
  }

  /// A question is answered: where it was the end of the last call, the session was for no more.
  func settleExchange(of own: JID, with jid: JID, _ call: JingleCall?, wasRefused: Bool) {
    guard let call, call.action == .terminate || wasRefused else { return }
    let (target, address, now) = (BareAddress(own.bare), Address(jid), now)
    if call.action == .terminate {
      decide { $0.callEnded(call.id, with: address, at: target, now: now) }
    } else {
      doorkeeper.gateway.callRefused(call.id, with: address, at: target)
    }
  }
}
