// SPDX-License-Identifier: Apache-2.0

/// Calls that somebody outside proposes (XEP-0353), held until it has been decided whether they may know that we are there:
/// whoever is handed one may ring back, and that would tell.
public struct HeldProposals<Content: Sendable>: Sendable {
  /// One proposal.
  public struct Proposal: Sendable {
    /// Who proposes.
    public let from: Address
    /// What the proposer calls it.
    public let id: String
    /// The stanza, for whoever is handed it.
    public let content: Content
    /// What keeping it costs.
    public let bytes: Int

    /// Describes a proposal.
    public init(from: Address, id: String, content: Content, bytes: Int) {
      self.from = from
      self.id = id
      self.content = content
      self.bytes = bytes
    }
  }

  private var held: [BareAddress: [Proposal]] = [:]

  /// None.
  public init() {}

  /// How many are held.
  public var count: Int { held.values.reduce(0) { $0 + $1.count } }

  /// Keeps a proposal. One that is repeated takes the place of the first.
  /// - Returns: whether there was room.
  public mutating func hold(_ proposal: Proposal) -> Bool {
    var mine = held[proposal.from.account] ?? []
    mine.removeAll { $0.from == proposal.from && $0.id == proposal.id }
    guard mine.count < Limits.proposalsPerContact,
      mine.reduce(proposal.bytes, { $0 + $1.bytes }) <= Limits.proposalBytesPerContact
    else { return false }
    held[proposal.from.account] = mine + [proposal]
    return true
  }

  /// The proposer takes one back.
  /// - Returns: whether it was held, and whether the same address has another.
  public mutating func retract(_ id: String, from: Address) -> (wasHeld: Bool, hasOthers: Bool) {
    let before = held[from.account] ?? []
    let after = before.filter { $0.from != from || $0.id != id }
    held[from.account] = after.isEmpty ? nil : after
    return (after.count < before.count, after.contains { $0.from == from })
  }

  /// Takes out all that a contact proposed, in the order in which it came.
  public mutating func take(_ contact: BareAddress) -> [Proposal] { held.removeValue(forKey: contact) ?? [] }

  /// Drops all.
  public mutating func removeAll() { held.removeAll() }
}
