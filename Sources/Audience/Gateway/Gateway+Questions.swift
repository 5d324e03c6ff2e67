// SPDX-License-Identifier: Apache-2.0

// Questions about one of our addresses and somebody.

extension Gateway {
  /// Whom one of our addresses sees in sessions, of the resources of a contact.
  public func peers(of contact: BareAddress, at target: BareAddress) -> [Decloak.Peer] {
    hosts[target]?.decloak.peers(of: contact) ?? []
  }

  /// Whether a contact has a session in which it sees one of our addresses.
  public func hasSession(_ contact: BareAddress, at target: BareAddress) -> Bool {
    pairs[contact]?[target]?.sessions.isEmpty == false
  }

  /// Whether somebody was sent presence of one of our addresses and has not been told that it is gone.
  public func wasShown(_ target: BareAddress, to address: Address) -> Bool {
    hosts[target]?.audience.wasShown(address) == true
  }

  /// The request of a contact that waits.
  public func request(of contact: BareAddress, to target: BareAddress) -> DecloakRequest? {
    hosts[target]?.decloak.pending[contact]
  }

  /// Which of our addresses a request asks, as long as it is remembered.
  public func target(ofRequest id: String) -> BareAddress? { target(of: id) }

  /// Why somebody may know of some of our addresses: what lasts longest; `nil` when it must not of any.
  public func why(_ address: Address) -> Audience.Why? {
    why(address.account) { $0.why(address) }
  }

  /// As ``why(_:)``, for a person's question about a contact: any resource that sees one of our addresses makes it a yes.
  public func whyAnyResource(of contact: BareAddress) -> Audience.Why? {
    why(contact) { $0.whyAnyResource(of: contact) }
  }

  /// Whoever may know of an address of ours stands in the books with it.
  private func why(_ contact: BareAddress, _ why: (Audience) -> Audience.Why?) -> Audience.Why? {
    guard contact.domain != domain else { return .ourselves }
    let reasons = Set((pairs[contact] ?? [:]).keys.compactMap { hosts[$0].flatMap { why($0.audience) } })
    return [.subscription, .shown, .session].first(where: reasons.contains)
  }
}

extension Gateway {
  /// A call was refused before it began: it is over, and the session it was for goes on.
  public mutating func callRefused(_ id: String, with address: Address, at target: BareAddress) {
    _ = hosts[target]?.calls.ended(id, with: address)
  }
}
