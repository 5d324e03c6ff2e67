// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

// What arrives for a person's programs. Nothing goes back by itself, but for questions that nobody answers.

/// A proposal of a call that is held, as it came.
struct HeldMessage {
  let message: Message
  let raw: Element
}

extension GatewayAccount {
  /// Hands a question from inside to the program that handles its namespace.
  /// - Returns: whether there is one, and it has room.
  func hand(_ iq: IQ, _ raw: Element) -> Bool {
    guard let from = iq.from, let to = iq.to, iq.payload.count == 1, let payload = iq.payload.first,
      payload.namespace != StanzaPayload.namespace, let client = handlers.handler(of: payload.namespace),
      let id = handedIQs.keep(iq, raw, for: client)
    else { return false }
    noteExchange(of: to, with: from, call: JingleCall(payload))
    let whole = handlers.wantsWhole(client) ? raw : nil
    onEvent(.iqHanded(HandedStanza(iq, whole: whole, id: id, from: from, to: client)))
    return true
  }

  /// Nobody answers a question: it gets what a protocol gets that nobody handles. Whoever asked it may have come to be
  /// outside meanwhile, and then gets what anybody there gets.
  func unanswered(_ question: HandedIQs.Question) {
    guard doorkeeper.isUp, let from = question.iq.from, let to = question.iq.to else { return }
    guard gateway.shows(BareAddress(to.bare), to: Address(from)) else {
      return doorkeeper.imitate(.iq(question.iq), question.raw)
    }
    answer(question.iq, Responder.refusal(of: question.iq))
    settleExchange(of: to, with: from, question.iq.payload.first.flatMap(JingleCall.init), wasRefused: true)
  }

  // MARK: Messages

  /// A message was let in. From outside nothing but a proposal counts: a server takes no message for a user that there is
  /// not.
  func arrived(_ message: Message, _ raw: Element, _ verdict: ArrivalVerdict) {
    guard let from = message.from, let to = message.to else { return }
    if verdict == .ask { return propose(message, raw, from, to) }
    // No server sends a component copies of what others had: who says so lies.
    guard MessageCopy(message) == nil else { return doorkeeper.unmatched(.message(message), raw) }
    guard gateway.shows(BareAddress(to.bare), to: Address(from)) || handlers.isBounce(message) else {
      let wasHeld = retract(message, from, to)
      if !wasHeld, !isSilent(message) { doorkeeper.imitate(.message(message), raw) }
      return
    }
    hand(HeldMessage(message: message, raw: raw), from, to)
  }

  /// Hands a message to those who handle what is in it.
  private func hand(_ held: HeldMessage, _ from: JID, _ to: JID) {
    let recipients = handlers.recipients(of: held.message)
    guard !recipients.isEmpty else { return }
    for (whole, clients) in Dictionary(grouping: recipients, by: handlers.wantsWhole) {
      onEvent(
        .messageHanded(HandedStanza(held.message, whole: whole ? held.raw : nil, from: from, to: clients)))
    }
    if held.message.type != .error { noteExchange(of: to, with: from, call: nil) }
  }

  // MARK: Proposals of calls

  /// Somebody outside proposes a call: that is a request to be shown to, and nobody is handed it before the yes. Otherwise
  /// a program might ring back. Where nobody is to be asked it is answered as for a user that there is not.
  private func propose(_ message: Message, _ raw: Element, _ from: JID, _ to: JID) {
    // What cannot be held until the yes is not asked about: the yes would bring nothing.
    guard let proposal = JingleMessage.proposal(in: message), raw.writtenBytes <= Limits.proposalBytesPerContact else {
      return doorkeeper.imitate(.message(message), raw)
    }
    let (address, target, now) = (Address(from), BareAddress(to.bare), now)
    decide {
      $0.received(
        ArrivedRequest(
          requester: address, reason: .media, namespaces: [proposal.namespace], isInRoster: false),
        at: target, now: now)
    }
    let held = HeldMessage(message: message, raw: raw)
    if gateway.shows(target, to: address) {
      hand(held, from, to)
    } else if gateway.request(of: address.account, to: target) != nil {
      // Silence is the answer for now, as it is to presence; and it stays the answer, since a bounce would tell when
      // somebody said no.
      _ = proposals[target, default: HeldProposals()].hold(
        .init(from: address, id: proposal.id, content: held, bytes: raw.writtenBytes))
    } else if !isSilent(message) {
      doorkeeper.imitate(.message(message), raw)
    }
  }

  /// Whether nothing goes back from any address of ours: what is asked waits for its answer in silence, so what is not
  /// asked has to be as silent, or it would tell a stranger which addresses he is refused without anybody being asked.
  private func isSilent(_ message: Message) -> Bool {
    gateway.policy != .off && (JingleMessage.proposal(in: message) ?? JingleMessage.retraction(in: message)) != nil
  }

  /// Somebody takes a proposal back that is held: the request is withdrawn with the last of them, unless it was also asked
  /// by presence.
  /// - Returns: whether the message was that, and is done with.
  private func retract(_ message: Message, _ from: JID, _ to: JID) -> Bool {
    guard let retraction = JingleMessage.retraction(in: message) else { return false }
    let (address, target, now) = (Address(from), BareAddress(to.bare), now)
    guard let (wasHeld, hasOthers) = proposals[target]?.retract(retraction.id, from: address), wasHeld else {
      return false
    }
    if proposals[target]?.count == 0 { proposals[target] = nil }
    let namespaces = gateway.request(of: address.account, to: target)?.namespaces ?? []
    if !hasOthers, namespaces.allSatisfy(JingleMessage.namespaces.contains) {
      decide { $0.withdrawn(address, at: target, now: now) }
    }
    return true
  }

  /// A request is over. What was proposed with it is handed over if the proposer may know now that we are there, and
  /// dropped otherwise.
  func settleProposals(_ request: DecloakRequest, _ target: BareAddress) {
    guard let held = proposals[target]?.take(request.contact) else { return }
    if proposals[target]?.count == 0 { proposals[target] = nil }
    for proposal in held where gateway.shows(target, to: proposal.from) {
      guard let from = proposal.content.message.from, let to = proposal.content.message.to else { continue }
      hand(proposal.content, from, to)
    }
  }
}
