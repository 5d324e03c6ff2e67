// SPDX-License-Identifier: Apache-2.0

public import Audience
package import EventLoop
public import Store

// What a person decided for the account, as it is kept beyond the life of the program.

extension Account {
  /// Returns when what was decided is on the disk.
  /// - Throws: ``AccountError`` `storageFailed`.
  public func flushKept() async throws(AccountError) {
    do throws(StoreError) {
      try await store.flush()
    } catch {
      throw AccountError(.storageFailed, "\(error.message) It holds now, but may be forgotten after a power failure.")
    }
  }
}

extension Decloak {
  /// What was decided about those who ask, as it was kept.
  /// - Parameters:
  ///   - store: of the account.
  ///   - nonce: starts the ids of requests.
  /// - Throws: ``StoreError``: not to know it is not the same as that there is nothing.
  @LoopActor
  static func kept(in store: AccountStore, nonce: String) throws(StoreError) -> Decloak {
    let kept = try KeptDecisions(in: store)
    return Decloak(nonce: nonce, policy: kept.policy, rules: kept.rules)
  }
}

/// What was decided about those who ask, as it was kept.
package struct KeptDecisions {
  /// What becomes of requests that no rule speaks of.
  package let policy: Decloak.Policy
  /// The rules.
  package let rules: DecloakRules

  /// Reads it.
  /// - Throws: ``StoreError``: not to know it is not the same as that there is nothing.
  @LoopActor
  package init(in store: AccountStore) throws(StoreError) {
    // What nobody here ever wrote is no leave to show anything.
    policy = try store.policy().map { Decloak.Policy(rawValue: $0) ?? .off } ?? .off
    var rules: [RuleSubject: RuleDecision] = [:]
    for rule in try store.rules() {
      rules[try RuleSubject(kept: rule.subject)] = RuleDecision(rawValue: rule.decision) ?? .deny
    }
    self.rules = DecloakRules(rules)
  }
}

extension RuleSubject {
  /// Reads its ``description``.
  /// - Throws: ``StoreError`` for a rule about addresses that cannot be read: without it those would be shown that no rule
  ///   allows.
  fileprivate init(kept text: String) throws(StoreError) {
    // Among the bytes: letters of some scripts grow together with what stands in front of them.
    guard text.utf8.starts(with: "to:".utf8) else {
      // No bare JID has an "@" at its beginning, or a ":" in it.
      self =
        text.utf8.first == UInt8(ascii: "@")
        ? .domain(String(text.unicodeScalars.dropFirst())) : .contact(BareAddress(text))
      return
    }
    guard let pattern = try? TargetPattern(String(text.unicodeScalars.dropFirst(3))) else {
      throw StoreError(.broken, "A rule that is kept cannot be read: nobody is shown anything without it.")
    }
    self = .target(pattern)
  }
}

extension VisibilityWish {
  /// What is kept of an account that is about to be made, where something is.
  /// - Throws: ``AccountError`` `storageFailed`: not to know it is not the same as that there is none.
  @LoopActor
  public static func kept(in store: AccountStore) throws(AccountError) -> VisibilityWish? {
    try AccountError.storing { () throws(StoreError) in try store.visibility() }.map(VisibilityWish.init)
  }

  /// Keeps it for an account that is about to be made, in place of what was kept.
  /// - Throws: ``AccountError`` `storageFailed`, or `limitExceeded`; then nothing is changed.
  @LoopActor
  public func keep(in store: AccountStore) throws(AccountError) {
    try checkLimits()
    let all = exceptions(since: VisibilityWish(showsOthers: showsOthers)).added
    try AccountError.storing { () throws(StoreError) in
      try store.setVisibility(StoredVisibility(base, exceptions: Set(all)))
    }
  }

  /// Keeps it in place of another that is kept. What it costs depends on what differs.
  /// - Throws: ``AccountError`` `storageFailed`, or `limitExceeded`; then nothing is changed.
  @LoopActor
  package func keep(in store: AccountStore, since old: VisibilityWish) throws(AccountError) {
    try checkLimits()
    let change = exceptions(since: old)
    try AccountError.storing { () throws(StoreError) in
      try store.changeVisibility(base, removing: change.removed, adding: change.added)
    }
  }

  private init(_ stored: StoredVisibility) {
    self.init(showsOthers: stored.base.showsOthers, probes: stored.base.probes, acceptsLess: stored.base.acceptsLess)
    for exception in stored.exceptions {
      switch exception {
      case .contact(let jid): contacts.insert(BareAddress(jid))
      case .group(let name): groups.insert(name)
      case .withheld(let jid): withheld.insert(BareAddress(jid))
      }
    }
  }

  fileprivate var base: StoredVisibility.Base {
    .init(showsOthers: showsOthers, probes: probes, acceptsLess: acceptsLess)
  }

  /// How the exceptions differ from earlier ones.
  fileprivate func exceptions(
    since old: VisibilityWish
  ) -> (removed: [StoredVisibility.Exception], added: [StoredVisibility.Exception]) {
    func difference(_ left: VisibilityWish, _ right: VisibilityWish) -> [StoredVisibility.Exception] {
      left.contacts.subtracting(right.contacts).map { .contact($0.text) }
        + left.groups.subtracting(right.groups).map { .group($0) }
        + left.withheld.subtracting(right.withheld).map { .withheld($0.text) }
    }
    return (difference(old, self), difference(self, old))
  }

  /// Refuses what is more than is kept.
  fileprivate func checkLimits() throws(AccountError) {
    let count = contacts.count + withheld.count
    guard count <= StoredVisibility.mostContacts else {
      throw AccountError(
        .limitExceeded,
        "\(count) contacts would be exceptions, but \(StoredVisibility.mostContacts) are the most: name a group of the "
          + "roster instead (group:NAME). Nothing was changed.")
    }
    guard groups.count <= StoredVisibility.mostGroups else {
      throw AccountError(
        .limitExceeded,
        "\(groups.count) groups would be exceptions, but \(StoredVisibility.mostGroups) are the most. Nothing was changed."
      )
    }
  }
}
