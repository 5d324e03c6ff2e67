// SPDX-License-Identifier: Apache-2.0

// Capabilities by their hash: whoever announces the hash would tell them again.

extension CacheDatabase {
  /// - Returns: what was kept for a hash, which from now on is the one that was used last.
  func capabilities(_ algorithm: String, _ hash: String) throws(StoreError) -> String? {
    try attempt { database throws(StoreError) in
      let key: [Database.Value] = [.text(algorithm), .text(hash)]
      var info: String?
      try database.query("SELECT info FROM capabilities WHERE algorithm = ? AND hash = ?", key) { info = $0.text(0) }
      guard info != nil else { return nil }
      do throws(StoreError) {
        try database.query(
          "UPDATE capabilities SET used = \(Self.nextUse) WHERE algorithm = ? AND hash = ?", key)
      } catch {
        // On a full disk it may go earlier than it should; what it says is as good as before.
        guard error.code == .full || error.code == .readOnly else { throw error }
      }
      return info
    }
  }

  /// Keeps some, all of them or none, and as many of the others as there may be.
  func keep(_ new: [StoredCapabilities]) throws(StoreError) {
    try attempt { database throws(StoreError) in
      try database.transaction { () throws(StoreError) in
        for capabilities in new {
          try database.query(
            """
            INSERT INTO capabilities (algorithm, hash, info, used) VALUES (?, ?, ?, \(Self.nextUse))
            ON CONFLICT (algorithm, hash) DO UPDATE SET info = excluded.info, used = excluded.used
            """, [.text(capabilities.algorithm), .text(capabilities.hash), .text(capabilities.info)])
        }
        try database.query(
          """
          DELETE FROM capabilities
          WHERE used <= (SELECT used FROM capabilities ORDER BY used DESC LIMIT 1 OFFSET ?)
          """, [.integer(Int64(StoredCapabilities.most))])
      }
    }
  }

  func forgetCapabilities(_ algorithm: String, _ hash: String) throws(StoreError) {
    try attempt { database throws(StoreError) in
      try database.query(
        "DELETE FROM capabilities WHERE algorithm = ? AND hash = ?", [.text(algorithm), .text(hash)])
    }
  }

  private static let nextUse = "(SELECT coalesce(max(used), 0) + 1 FROM capabilities)"
}
