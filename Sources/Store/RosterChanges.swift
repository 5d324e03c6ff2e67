// SPDX-License-Identifier: Apache-2.0

/// What has yet to be written of one account's roster: each contact as it is now and not each change on the way, so
/// that a server that pushes faster than a disk writes makes nothing grow.
struct RosterChanges: Sendable {
  /// What the changes are changes of.
  enum Base: Sendable {
    /// The roster that is kept.
    case kept
    /// A whole new one.
    case replaced([StoredContact])
    /// None: nothing is kept any more.
    case forgotten
  }

  /// What became of a contact.
  enum Change: Sendable, Hashable {
    case updated(StoredContact)
    case removed
  }

  /// How many bytes may wait besides a whole roster.
  static let mostBytes = 16 << 20

  private(set) var base = Base.kept
  /// The version of the roster with all changes.
  private(set) var version = ""
  /// By JID.
  private(set) var changes: [String: Change] = [:]
  private var bytes = 0

  /// Whether nothing is to be kept.
  var forgets: Bool { if case .forgotten = base { true } else { false } }

  mutating func replace(_ roster: StoredRoster) {
    self = RosterChanges()
    base = .replaced(roster.contacts)
    version = roster.version
  }

  mutating func forget() {
    self = RosterChanges()
    base = .forgotten
  }

  /// Adds a change of one contact.
  /// - Returns: whether there was room; otherwise the roster is forgotten, since one that misses a change is wrong.
  mutating func add(_ change: Change, _ jid: String, version: String) -> Bool {
    guard !forgets else { return true }
    if let old = changes.updateValue(change, forKey: jid) { bytes -= Self.size(old, jid) }
    bytes += Self.size(change, jid)
    self.version = version
    guard bytes <= Self.mostBytes else {
      forget()
      return false
    }
    return true
  }

  private static func size(_ change: Change, _ jid: String) -> Int {
    // What a row costs besides its texts.
    switch change {
    case .updated(let contact): contact.byteCount + jid.utf8.count + 128
    case .removed: jid.utf8.count + 128
    }
  }
}

extension StoredContact {
  /// The bytes of its texts.
  var byteCount: Int {
    groups.reduce(jid.utf8.count + name.utf8.count + subscription.utf8.count) { $0 + $1.utf8.count }
  }
}
