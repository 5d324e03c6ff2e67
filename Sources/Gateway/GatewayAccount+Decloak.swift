// SPDX-License-Identifier: Apache-2.0

public import Account
public import Audience
internal import EventLoop
internal import Store
public import XMPP

// What people ask of Decloak (XEP-0276) beside answering: for that see `GatewayAccount+Answers.swift`.

extension GatewayAccount {
  /// Asks a contact to show itself to one of our addresses, which shows that one first.
  /// - Parameters:
  ///   - contact: whom.
  ///   - from: on whose behalf; an address of ours.
  ///   - reason: what for.
  ///   - wait: how long to wait for the first peer whose capabilities are known; zero returns at once.
  ///   - lifetime: seconds that the session lasts once it has been answered; `nil` is one hour.
  ///   - reveal: that we mean it although we hide from the contact.
  /// - Returns: the id that names the request, and the peers known so far.
  /// - Throws: ``AccountError``.
  public func requestDecloak(
    _ contact: BareJID, from: JID, reason: DecloakReason, wait: Duration, lifetime: UInt32?, reveal: Bool
  ) async throws(AccountError) -> (id: String, peers: [PeerInfo]) {
    try requireConnected()
    let pair = GatewaySubscription(contact: BareAddress(contact), target: try own(from))
    let now = now
    let waiters = askWaiters[pair] ?? Waiters(time: time)
    let place = waiters.take()
    defer { waiters.leave(place) }
    var id = ""
    try disclosing([Shown(target: pair.target, address: .bare(pair.contact))]) { () throws(AccountError) in
      let asked = try AccountError.deciding { () throws(DecloakError) in
        try doorkeeper.gateway.ask(
          pair.contact, from: pair.target, reason: reason, lifetime: lifetime ?? Limits.sessionLifetime, reveal: reveal,
          now: now)
      }
      id = asked.id
      carryOut(asked.effects)
    }
    follow(pair.target, with: pair.contact)
    if wait > .zero, knownPeers(of: pair).isEmpty {
      askWaiters[pair] = waiters
      let serial = streamSerial
      _ = await waiters.wait(place, atMost: wait)
      guard streamSerial == serial else {
        throw AccountError(.notConnected, "The connection ended while we waited for an answer: ask again.")
      }
      if waiters.isEmpty, askWaiters[pair] === waiters { askWaiters[pair] = nil }
    }
    return (id, knownPeers(of: pair))
  }

  /// Shows one of our addresses to somebody unasked.
  /// - Parameters:
  ///   - jid: a whole account, or one of its resources.
  ///   - from: which address of ours.
  ///   - full: whether show and status are sent too.
  ///   - lifetime: seconds that the session lasts; `nil` is one hour.
  /// - Throws: ``AccountError``.
  public func share(_ jid: JID, from: JID, full: Bool, lifetime: UInt32?) throws(AccountError) {
    try requireConnected()
    let (target, address, now) = (try own(from), Address(jid), now)
    try disclosing([Shown(target: target, address: address)]) { () throws(AccountError) in
      try AccountError.deciding { () throws(DecloakError) in
        _ = try decide { gateway throws(DecloakError) in
          try gateway.share(
            target, with: address, full: full, lifetime: lifetime ?? Limits.sessionLifetime, now: now)
        }
      }
    }
    follow(target, with: address.account)
  }

  /// Ends the sessions of all our addresses with a contact, or with everybody.
  /// - Parameter contact: `nil` for everybody.
  /// - Returns: how many ended.
  public func revoke(_ contact: BareJID?) -> Int {
    let now = now
    let revoked = doorkeeper.gateway.revoke(contact.map { BareAddress($0) }, now: now)
    carryOut(revoked.effects)
    return revoked.ended
  }

  // MARK: Peers

  /// Those who asked are inside now: what they can do may be asked.
  func getToKnow(_ addresses: [Address], by target: BareAddress) {
    for address in addresses {
      guard let jid = address.jid, let announced = announced[address] else { continue }
      spawn { _ = await self.capabilities.learn(jid, announced, from: target.jid) }
    }
  }

  /// Somebody answered our request: its capabilities, then the news.
  func introduce(_ address: Address, to target: BareAddress, id: String) async {
    guard let jid = address.jid else { return }
    let known = await capabilities.learn(jid, announced[address], from: target.jid)
    // It may have left, or we may have ended it, while we asked.
    guard gateway.peers(of: address.account, at: target).contains(where: { $0.address == address && $0.askID == id })
    else { return }
    let peer = PeerInfo(jid: jid, capabilities: known)
    answeredPeers[Shown(target: target, address: address)] = peer
    onEvent(.peerDecloaked(id: id, peer, target: target))
    askWaiters[GatewaySubscription(contact: address.account, target: target)]?.resume(())
  }

  /// The peers of a contact whose capabilities are known.
  private func knownPeers(of pair: GatewaySubscription) -> [PeerInfo] {
    gateway.peers(of: pair.contact, at: pair.target).compactMap {
      answeredPeers[Shown(target: pair.target, address: $0.address)]
    }
  }

  /// Somebody is not seen any more, in whichever resource.
  func forgetPeers(of contact: BareAddress, at target: BareAddress) {
    guard !answeredPeers.isEmpty else { return }
    let left = Set(gateway.peers(of: contact, at: target).map(\.address))
    answeredPeers = answeredPeers.filter {
      $0.key.target != target || $0.key.address.account != contact || left.contains($0.key.address)
    }
  }

  /// What is known of the capabilities of somebody in a session, without asking.
  public func knownCapabilities(_ address: Address) -> Capabilities {
    address.jid.flatMap { capabilities.known($0, announced[address]) } ?? Capabilities()
  }

  // MARK: Disclosures

  /// Takes a decision that shows addresses of ours to some, once it is written down that it will: whoever calls is told
  /// where it cannot be.
  /// - Parameters:
  ///   - shown: who is to be shown what.
  ///   - more: what else is written with it.
  func disclosing(
    _ shown: [Shown], with more: () throws(StoreError) -> Void = {}, _ decision: () throws(AccountError) -> Void
  ) throws(AccountError) {
    let new = shown.filter { !ledger.knows($0) }
    var changes = GatewayChanges()
    changes.shown = new.map(\.disclosure)
    try AccountError.storing { () throws(StoreError) in
      try store.together { () throws(StoreError) in
        try more()
        try store.write(changes)
      }
    }
    ledger.takeUp(new)
    // What was written down and did not happen is struck out.
    defer {
      for shown in new where !gateway.wasShown(shown) { ledger.settle(shown) }
      if !ledger.isEmpty { doorkeeper.plan() }
    }
    try decision()
  }

  /// The address of ours that a call names.
  /// - Throws: ``AccountError`` `invalidArgument` for anybody else's.
  func own(_ jid: JID) throws(AccountError) -> BareAddress {
    guard jid.domain == gateway.domain else {
      throw AccountError(
        .invalidArgument, "\(jid) is no address of this gateway: name one of \(gateway.domain) in the option from.")
    }
    return BareAddress(jid.bare)
  }
}
