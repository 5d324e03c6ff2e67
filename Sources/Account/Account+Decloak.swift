// SPDX-License-Identifier: Apache-2.0

public import Audience
internal import EventLoop
public import XMPP

// What people ask of Decloak (XEP-0276) beside answering: for that see `Account+Answers.swift`.

extension Account {
  /// Asks a contact to show itself, which shows us first.
  /// - Parameters:
  ///   - contact: whom.
  ///   - reason: what for.
  ///   - wait: how long to wait for the first peer whose capabilities are known; zero returns at once.
  ///   - lifetime: seconds that the session lasts once it has been answered; `nil` is one hour.
  ///   - reveal: that we mean it although we are invisible.
  /// - Returns: the id that names the request, and the peers known so far.
  /// - Throws: ``AccountError``.
  public func requestDecloak(
    _ contact: BareJID, reason: DecloakReason, wait: Duration, lifetime: UInt32?, reveal: Bool
  ) async throws(AccountError) -> (id: String, peers: [PeerInfo]) {
    try requireConnected()
    let address = BareAddress(contact)
    let isSeen = roster.items[contact]?.subscription.isSeen == true && !presences.resources(of: contact).isEmpty
    let now = now
    let waiters = askWaiters[address] ?? Waiters(time: time)
    let place = waiters.take()
    defer { waiters.leave(place) }
    var id = ""
    try disclosing(to: isSeen ? [] : [.bare(address)]) { decloak, audience throws(DecloakError) in
      let asked = try decloak.ask(
        address, reason: reason, lifetime: lifetime ?? Limits.sessionLifetime, reveal: reveal, isSeen: isSeen,
        audience: &audience, now: now)
      id = asked.id
      return asked.effects
    }
    if isSeen { return (id, await seenPeers(contact)) }
    if wait > .zero, knownPeers(of: address).isEmpty {
      askWaiters[address] = waiters
      let session = sessionSerial
      _ = await waiters.wait(place, atMost: wait)
      guard sessionSerial == session else {
        throw AccountError(.notConnected, "The connection ended while we waited for an answer: ask again.")
      }
      if waiters.isEmpty, askWaiters[address] === waiters { askWaiters[address] = nil }
    }
    return (id, knownPeers(of: address))
  }

  /// Shows us to somebody unasked.
  /// - Parameters:
  ///   - jid: a whole account, or one of its resources.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts; `nil` is one hour.
  /// - Throws: ``AccountError``.
  public func share(_ jid: JID, full: Bool, lifetime: UInt32?) throws(AccountError) {
    try requireConnected()
    let now = now
    try disclosing(to: [Address(jid)]) { decloak, audience throws(DecloakError) in
      try decloak.share(
        Address(jid), full: full, lifetime: lifetime ?? Limits.sessionLifetime, audience: &audience, now: now)
    }
  }

  /// Ends the sessions with a contact, or with everybody.
  /// - Parameter contact: `nil` for everybody.
  /// - Returns: how many ended.
  public func revoke(_ contact: BareJID?) -> Int {
    var ended = 0
    decide { decloak, audience in
      let revoked = decloak.revoke(contact.map { BareAddress($0) }, audience: &audience)
      ended = revoked.ended
      return revoked.effects
    }
    return ended
  }

  /// Turns a session into a subscription. While invisible that would need us to be shown for good.
  /// - Throws: ``AccountError``.
  public func upgrade(_ contact: BareJID, reveal: Bool) async throws(AccountError) {
    try requireConnected()
    let address = BareAddress(contact)
    if !audience.visibility.shows(address) {
      guard reveal else { throw .wouldReveal(contact.description) }
      guard !audience.sessions(with: address).isEmpty || !decloak.peers(of: address).isEmpty else {
        throw AccountError(DecloakError.noSession(address))
      }
      // A subscription that shows nothing would end what the session shows.
      try await changeVisibility { $0.show(address) }
      try requireConnected()
    }
    try deciding { decloak, audience throws(DecloakError) in
      try decloak.upgrade(BareAddress(contact), audience: &audience)
    }
  }

  // MARK: Peers

  /// Those who asked are inside now: what they can do may be asked.
  func getToKnow(_ addresses: [Address]) {
    for address in addresses { spawn { await self.learn(address) } }
  }

  private func learn(_ address: Address) async {
    guard let jid = address.jid else { return }
    let known = await capabilities.learn(jid, presences.announced(by: jid))
    // It may have left while we asked.
    guard decloak.peers[address] != nil else { return }
    answeredPeers[address] = PeerInfo(jid: jid, capabilities: known)
    askWaiters[address.account]?.resume(())
  }

  /// Somebody answered our request: its capabilities, then the news.
  func introduce(_ address: Address, id: String) async {
    guard let jid = address.jid else { return }
    let known = await capabilities.learn(jid, presences.announced(by: jid))
    // It may have left, or we may have ended it, while we asked.
    guard decloak.peers[address]?.askID == id else { return }
    let peer = PeerInfo(jid: jid, capabilities: known)
    answeredPeers[address] = peer
    onEvent(.peerDecloaked(id: id, peer))
    askWaiters[address.account]?.resume(())
  }

  /// The peers of a contact whose capabilities are known.
  public func knownPeers(of contact: BareAddress) -> [PeerInfo] {
    decloak.peers(of: contact).compactMap { answeredPeers[$0.address] }
  }

  private func seenPeers(_ contact: BareJID) async -> [PeerInfo] {
    var peers: [PeerInfo] = []
    for resource in presences.resources(of: contact).keys.sorted() {
      guard let jid = resource.isEmpty ? JID(contact) : try? JID("\(contact)/\(resource)") else { continue }
      peers.append(PeerInfo(jid: jid, capabilities: await capabilities.learn(jid, presences.announced(by: jid))))
    }
    return peers
  }

  /// What is known of the capabilities of somebody in a session, without asking.
  public func knownCapabilities(_ address: Address) -> Capabilities {
    // Who announces no hash was asked itself.
    address.jid.flatMap { capabilities.known($0, presences.announced(by: $0)) } ?? answeredPeers[address]?.capabilities
      ?? Capabilities()
  }

  // MARK: Errors

  func requireConnected() throws(AccountError) {
    guard status == .connected, !isClosing else { throw .notConnected }
  }

  /// Takes a decision that shows us to some, once it is written down that it will: whoever calls is told where it cannot
  /// be.
  func disclosing(to addresses: [Address], _ decision: () throws(AccountError) -> Void) throws(AccountError) {
    let new = addresses.filter { !audience.wasShown($0) }
    // What was written down and did not happen is struck out.
    defer { for address in new where !audience.wasShown(address) { address.jid.map(disclosures.settle) } }
    try disclosures.announce(new, audience.mode)
    try decision()
  }

  private func disclosing(
    to addresses: [Address], _ event: (inout Decloak, inout Audience) throws(DecloakError) -> [DecloakEffect]
  ) throws(AccountError) {
    try disclosing(to: addresses) { () throws(AccountError) in try deciding(event) }
  }

  private func deciding(
    _ event: (inout Decloak, inout Audience) throws(DecloakError) -> [DecloakEffect]
  ) throws(AccountError) {
    try AccountError.deciding { () throws(DecloakError) in _ = try decide(event) }
  }
}

extension AccountError {
  /// Does `work`, whose refusal is told to whoever waits.
  static func deciding<Result>(_ work: () throws(DecloakError) -> Result) throws(AccountError) -> Result {
    do throws(DecloakError) {
      return try work()
    } catch {
      throw AccountError(error)
    }
  }

  init(_ error: DecloakError) {
    switch error {
    case .noSuchRequest(let id):
      self.init(
        .noSuchRequest,
        "No request \"\(id)\" waits for an answer: it has expired, was withdrawn, or never was. "
          + "ListRequests shows those that wait.")
    case .alreadyResolved(let id, let outcome):
      self.init(.alreadyResolved, "Request \"\(id)\" has been answered already: it was \(outcome.rawValue).")
    case .limitExceeded(let what): self.init(.limitExceeded, "Too many \(what).")
    case .wouldReveal(let contact): self = .wouldReveal(contact.text)
    case .noSession(let contact):
      self.init(.invalidArgument, "There is no session with \(contact) to upgrade: ListSessions shows them.")
    case .ourselves: self.init(.invalidArgument, "That is this account itself: it sees itself anyway.")
    case .hiddenAddress(let address):
      self.init(.invalidArgument, "\(address) is hidden by the rules about addresses, or no address: Rules shows them.")
    }
  }
}
