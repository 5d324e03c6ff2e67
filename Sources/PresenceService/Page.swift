// SPDX-License-Identifier: Apache-2.0

internal import DBus

/// A stretch of a list that can be long: the entries behind `after`, at most `limit` of them.
struct Page {
  static let most: UInt32 = 5000

  private let after: String?
  private let limit: Int

  /// Takes both out of a call's options.
  /// - Throws: `InvalidArgs` when `limit` is out of range.
  init(_ options: inout Options) throws(DBusError) {
    after = try options.take("after")
    let limit: UInt32 = try options.take("limit") ?? Self.most
    guard (1...Self.most).contains(limit) else {
      throw DBusError(.invalidArgs, "\"limit\" is \(limit), but must be from 1 to \(Self.most).")
    }
    self.limit = Int(limit)
  }

  /// The page of `entries`, in the order of their keys.
  func cut<Entry>(_ entries: [Entry], by key: (Entry) -> String) -> [Entry] {
    let behind = entries.filter { entry in after.map { key(entry) > $0 } ?? true }
    return Array(behind.sorted { key($0) < key($1) }.prefix(limit))
  }
}
