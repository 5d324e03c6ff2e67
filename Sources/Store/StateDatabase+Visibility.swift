// SPDX-License-Identifier: Apache-2.0

// Who may see an account: a row for what holds beside the exceptions, and one for each of them, so that a change of one
// contact costs the same however many there are.

extension StateDatabase {
  /// How many exceptions an account has.
  struct ExceptionCounts: Hashable {
    /// Contacts, with those that are kept out of their groups.
    var contacts = 0
    /// Groups.
    var groups = 0

    fileprivate func checked() throws(StoreError) -> ExceptionCounts {
      guard contacts <= StoredVisibility.mostContacts, groups <= StoredVisibility.mostGroups else {
        throw StoreError(
          .limit,
          "\(StoredVisibility.mostContacts) contacts and \(StoredVisibility.mostGroups) groups are the most that can be "
            + "exceptions to who sees one account.")
      }
      return self
    }
  }

  func visibility(_ id: Int64) throws(StoreError) -> StoredVisibility? {
    var base: StoredVisibility.Base?
    try database.query(
      "SELECT shows_others, probes, accepts_less FROM visibility WHERE account = ?", [.integer(id)]
    ) {
      base = .init(showsOthers: $0.integer(0) != 0, probes: $0.integer(1) != 0, acceptsLess: $0.integer(2) != 0)
    }
    guard let base else { return nil }
    var found = StoredVisibility(base)
    try database.query(
      "SELECT kind, name FROM exception WHERE account = ?", [.integer(id)]
    ) { row throws(StoreError) in
      guard let exception = StoredVisibility.Exception(kind: row.text(0), name: row.text(1)) else {
        // To leave it out might show the account to somebody whom it hides from.
        throw StoreError.broken(database.path, "it makes an exception of an unknown kind")
      }
      found.exceptions.insert(exception)
    }
    return found
  }

  func countExceptions(_ id: Int64) throws(StoreError) -> ExceptionCounts {
    var counts = ExceptionCounts()
    try database.query("SELECT kind, count(*) FROM exception WHERE account = ? GROUP BY kind", [.integer(id)]) {
      counts.add(Int($0.integer(1)), isGroup: $0.text(0) == StoredVisibility.Exception.groupKind)
    }
    return counts
  }

  /// Writes all of a change, or nothing of it.
  /// - Parameters:
  ///   - base: what holds beside the exceptions from now on.
  ///   - removed: exceptions that are none any more; `nil` for all there are.
  ///   - added: exceptions from now on.
  ///   - present: how many there are already.
  /// - Returns: how many there are then.
  func changeVisibility(
    _ base: StoredVisibility.Base, removing removed: [StoredVisibility.Exception]?,
    adding added: [StoredVisibility.Exception], _ id: Int64, present: ExceptionCounts
  ) throws(StoreError) -> ExceptionCounts {
    for exception in added {
      try check(exception.name, atMost: exception.isGroup ? StoredVisibility.mostGroupBytes : Self.mostTextBytes)
    }
    return try database.transaction { () throws(StoreError) in
      try database.query(
        """
        INSERT INTO visibility (account, shows_others, probes, accepts_less) VALUES (?, ?, ?, ?)
        ON CONFLICT (account) DO UPDATE
        SET shows_others = excluded.shows_others, probes = excluded.probes, accepts_less = excluded.accepts_less
        """, [.integer(id), .truth(base.showsOthers), .truth(base.probes), .truth(base.acceptsLess)])
      var counts = present
      if let removed {
        for exception in removed {
          try database.query(
            "DELETE FROM exception WHERE account = ? AND kind = ? AND name = ?",
            [.integer(id), .text(exception.kind), .text(exception.name)])
          counts.add(-database.changes, isGroup: exception.isGroup)
        }
      } else {
        try database.query("DELETE FROM exception WHERE account = ?", [.integer(id)])
        counts = ExceptionCounts()
      }
      for exception in added {
        try database.query(
          "INSERT INTO exception (account, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          [.integer(id), .text(exception.kind), .text(exception.name)])
        counts.add(database.changes, isGroup: exception.isGroup)
      }
      return try counts.checked()
    }
  }

  private func check(_ name: String, atMost most: Int) throws(StoreError) {
    guard name.utf8.count <= most else {
      throw StoreError(.limit, "A name of more than \(most) bytes is not kept as an exception to who sees an account.")
    }
  }
}

extension StateDatabase.ExceptionCounts {
  fileprivate mutating func add(_ number: Int, isGroup: Bool) {
    if isGroup { groups += number } else { contacts += number }
  }
}

extension StoredVisibility.Exception {
  fileprivate static let groupKind = "group"

  fileprivate init?(kind: String, name: String) {
    switch kind {
    case "contact": self = .contact(name)
    case Self.groupKind: self = .group(name)
    case "withheld": self = .withheld(name)
    default: return nil
    }
  }

  fileprivate var kind: String {
    switch self {
    case .contact: "contact"
    case .group: Self.groupKind
    case .withheld: "withheld"
    }
  }

  fileprivate var isGroup: Bool { kind == Self.groupKind }

  fileprivate var name: String {
    switch self {
    case .contact(let name), .group(let name), .withheld(let name): name
    }
  }
}
