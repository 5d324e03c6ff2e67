// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

// What arrives for a person's programs. Nothing goes back by itself, but for questions that nobody answers.

extension Account {
  /// Hands a question from inside to the program that handles its namespace.
  /// - Returns: whether there is one, and it has room.
  func hand(_ iq: IQ, _ raw: Element) -> Bool {
    guard let from = iq.from, iq.payload.count == 1, let payload = iq.payload.first,
      payload.namespace != StanzaPayload.namespace, let client = handlers.handler(of: payload.namespace),
      let id = handedIQs.keep(iq, raw, for: client)
    else { return false }
    noteExchange(with: from, call: JingleCall(payload))
    onEvent(.iqHanded(HandedStanza(iq, id: id, from: from, to: client)))
    return true
  }

  /// Nobody answers a question: it gets what a protocol gets that nobody handles. Whoever asked it may have come to be
  /// outside meanwhile, and then gets what anybody there gets.
  func unanswered(_ question: HandedIQs.Question) {
    guard doorkeeper.isUp, let from = question.iq.from else { return }
    guard audience.contains(Address(from)) else { return doorkeeper.unmatched(.iq(question.iq), question.raw) }
    doorkeeper.send(.iq(Responder.refusal(of: question.iq)))
    settleExchange(with: from, question.iq.payload.first.flatMap(JingleCall.init), wasRefused: true)
  }

  /// A message was let in.
  func arrived(_ message: Message, _ raw: Element, _ verdict: ArrivalVerdict) {
    let from = message.from ?? JID(jid)
    let isOutside = !audience.contains(Address(from))
    guard !isForged(message, from) else { return }
    if verdict == .ask { return propose(message, from, bytes: raw.writtenBytes) }
    if isOutside {
      // What cannot be asked about, because of its type or where it comes from, must not ring all the same.
      guard !JingleMessage.hasProposal(message) || handlers.isBounce(message) else { return }
      guard !retract(message, from) else { return }
      guard rateOfStrangers.admits(raw.writtenBytes, at: now) else { return }
    }
    hand(message, from)
  }

  /// Whether a message claims to be a copy of one that another device of ours had, and is not from our own account; or is
  /// the copy of a call that somebody outside proposed there: that device asks for consent, or has been rung already.
  private func isForged(_ message: Message, _ from: JID) -> Bool {
    guard let copy = MessageCopy(message) else { return false }
    guard from == JID(jid), let original = copy.message else { return true }
    return JingleMessage.hasProposal(original) && !audience.contains(Address(original.from ?? from))
  }

  /// Hands a message to those who handle what is in it.
  func hand(_ message: Message, _ from: JID) {
    let recipients = handlers.recipients(of: message)
    guard !recipients.isEmpty else { return }
    onEvent(.messageHanded(HandedStanza(message, from: from, to: recipients)))
    if message.type != .error { noteExchange(with: from, call: nil) }
  }

  // MARK: Proposals of calls

  /// Somebody outside proposes a call: that is a request to be shown to, and nobody is handed it before the yes. Otherwise
  /// a program might ring back.
  private func propose(_ message: Message, _ from: JID, bytes: Int) {
    // What cannot be held until the yes is not asked about: the yes would bring nothing.
    guard let proposal = JingleMessage.proposal(in: message), bytes <= Limits.proposalBytesPerContact else { return }
    let address = Address(from)
    let arrived = ArrivedRequest(
      requester: address, reason: .media, namespaces: [proposal.namespace], isInRoster: roster.items[from.bare] != nil)
    decide(on: arrived)
    if audience.contains(address) {
      hand(message, from)
    } else if decloak.pending[address.account] != nil {
      _ = proposals.hold(.init(from: address, id: proposal.id, content: message, bytes: bytes))
    }
  }

  /// Somebody takes a proposal back that is held: the request is withdrawn with the last of them, unless it was also asked
  /// by presence.
  /// - Returns: whether the message was that, and is done with.
  private func retract(_ message: Message, _ from: JID) -> Bool {
    guard let retraction = JingleMessage.retraction(in: message) else { return false }
    let address = Address(from)
    let (wasHeld, hasOthers) = proposals.retract(retraction.id, from: address)
    guard wasHeld else { return false }
    let namespaces = decloak.pending[address.account]?.namespaces ?? []
    if !hasOthers, namespaces.allSatisfy(JingleMessage.namespaces.contains) {
      decide { decloak, audience in decloak.withdrawn(address, audience) }
    }
    return true
  }

  /// A request is over. What was proposed with it is handed over if the proposer may know now that we are there, and
  /// dropped otherwise.
  func settleProposals(_ request: DecloakRequest) {
    for proposal in proposals.take(request.contact) where audience.contains(proposal.from) {
      guard let from = proposal.from.jid else { continue }
      hand(proposal.content, from)
    }
  }
}

extension Element {
  /// As many bytes as it takes to hand it on: names may be much longer than all that is stored of a stanza.
  var writtenBytes: Int { bytes(within: StanzaPayload.namespace).count }
}
