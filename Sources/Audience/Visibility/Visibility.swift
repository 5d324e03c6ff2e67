// SPDX-License-Identifier: Apache-2.0

/// Which contacts may see a session's presence: everybody or nobody, but for exceptions (XEP-0018 §2).
///
/// The same value serves both ends: at a client it says what to send, at a server what to forward. Whether a contact has
/// a subscription is not its business.
public struct Visibility: Hashable, Sendable {
  /// Whether those see us who are no exceptions.
  public private(set) var showsOthers: Bool
  /// For whom it is the other way round.
  public private(set) var exceptions: ContactSet

  /// Everybody sees us: how a session begins.
  public static let visible = Visibility(showsOthers: true)
  /// Nobody does.
  public static let invisible = Visibility(showsOthers: false)

  /// Everybody or nobody, but for some.
  public init(showsOthers: Bool, exceptions: ContactSet = []) {
    self.showsOthers = showsOthers
    self.exceptions = exceptions
  }

  /// The mode's name.
  public var mode: Mode {
    switch (showsOthers, exceptions.isEmpty) {
    case (true, true): .visible
    case (true, false): .except
    case (false, true): .invisible
    case (false, false): .only
    }
  }

  /// Whether a contact may see us.
  public func shows(_ contact: BareAddress) -> Bool { showsOthers != exceptions.contains(contact) }

  // MARK: The four stanzas of XEP-0018 §3

  /// `<presence type='visible'/>` (§3.2): everybody, and no exceptions any more.
  public mutating func showAll() { self = .visible }

  /// `<presence type='invisible'/>` (§3.1): nobody, and no exceptions any more.
  public mutating func hideFromAll() { self = .invisible }

  /// `<presence to='…' type='visible'/>` (§3.4).
  public mutating func show(_ contact: BareAddress) {
    if showsOthers { exceptions.remove(contact) } else { exceptions.insert(contact) }
  }

  /// `<presence to='…' type='invisible'/>` (§3.3).
  public mutating func hide(_ contact: BareAddress) {
    if showsOthers { exceptions.insert(contact) } else { exceptions.remove(contact) }
  }

  // MARK: Differences

  /// Who among the subscribers is seen differently under another visibility. Where both begin with everybody or nobody
  /// alike, this costs what differs and not what is the same.
  /// - Returns: who ceases to see us, and who begins to; each sorted.
  public func difference(
    to new: Visibility, among subscribers: Set<BareAddress>
  ) -> (hidden: [BareAddress], shown: [BareAddress]) {
    let candidates =
      showsOthers == new.showsOthers
      ? exceptions.symmetricDifference(new.exceptions).filter(subscribers.contains) : Array(subscribers)
    return (
      candidates.filter { shows($0) && !new.shows($0) }.sorted(),
      candidates.filter { !shows($0) && new.shows($0) }.sorted()
    )
  }
}
