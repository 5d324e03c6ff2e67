// SPDX-License-Identifier: Apache-2.0

// What goes to and fro in a session keeps it alive, and what it was for ends it.

extension Decloak {
  /// Stanzas were exchanged with somebody: a session in which we are seen lasts as long again.
  public mutating func exchanged(with address: Address, audience: inout Audience, now: Instant) -> [DecloakEffect] {
    let contact = address.account
    // Until our own request is answered, time runs whatever is said.
    let waits = asks[contact].map { !$0.isAnswered } ?? false
    for var session in audience.sessions(with: contact) where session.expiresAt > now {
      guard session.address == address || session.address == .bare(contact) || address == .bare(contact),
        !(waits && session.address == .bare(contact))
      else { continue }
      let lifetime = session.expiresAt.nanoseconds - (session.exchangedAt ?? session.since).nanoseconds
      let (end, overflow) = now.nanoseconds.addingReportingOverflow(lifetime)
      session.expiresAt = overflow ? .never : max(session.expiresAt, Instant(nanoseconds: end))
      session.exchangedAt = now
      audience.update(session)
      let covered = session.address
      for peer in peers(of: contact) where peer.address == covered || covered == .bare(contact) {
        peers[peer.address] = Peer(
          address: peer.address, askID: peer.askID, since: peer.since, expiresAt: session.expiresAt)
      }
    }
    return []
  }

  /// The last call with somebody is over, and with it the session that was for it.
  /// - Parameter last: what it was the last of.
  public mutating func callEnded(
    with address: Address, _ last: JingleCalls.Last, audience: inout Audience
  ) -> [DecloakEffect] {
    let contact = address.account
    var over: [Address] = []
    if last.ofAddress { over.append(address) }
    if last.ofAccount, address != .bare(contact) { over.append(.bare(contact)) }
    over = over.filter { audience.sessions[$0] != nil }
    guard !over.isEmpty else { return [] }
    let isWhole = over.contains(.bare(contact))
    let seen = peers(of: contact).filter { $0.address == address || isWhole && $0.askID != nil }
    return endSessions(over, .expired, audience: &audience) + seen.flatMap { endPeer($0.address, .expired) }
  }
}

extension Audience {
  /// Whether somebody who was sent our presence is to hear what we can do now: all who may know that we are there, but for
  /// those whom the server's broadcast reaches.
  public func wantsCapabilities(_ address: Address) -> Bool {
    wantsUpdate(address) || (why(address) == .session && !isShownBySubscription(address.account))
  }
}
