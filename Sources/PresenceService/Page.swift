// SPDX-License-Identifier: Apache-2.0

internal import DBus

/// A stretch of a list that can be long: the entries behind `after`, at most `limit` of them.
struct Page {
  static let most: UInt32 = 5000

  /// The key of the entry before the first; `nil` at the beginning.
  let after: String?
  /// How many entries at most.
  let limit: Int

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

  /// Refuses a list without pages that is longer than one: it could be too large a message, and nobody else is served while
  /// it is made.
  /// - Parameters:
  ///   - count: how many entries there are.
  ///   - what: of these.
  ///   - instead: where they are found, for the error.
  /// - Throws: `LimitsExceeded`.
  static func requireRoom(for count: Int, _ what: String, _ instead: String) throws(DBusError) {
    guard count > Int(most) else { return }
    throw DBusError(
      .limitsExceeded, "There are \(count) \(what), and \(most) are the most that are listed at once: \(instead).")
  }

  /// The page of `entries`, in the order of their keys.
  ///
  /// Whoever reads a long list has it all looked through for each page: so what is on the page is sorted, and not the
  /// whole list.
  func cut<Entry>(_ entries: some Sequence<Entry>, by key: (Entry) -> String) -> [Entry] {
    var first: [(key: String, entry: Entry)] = []
    first.reserveCapacity(2 * limit)
    var last: String?
    for entry in entries {
      let key = key(entry)
      if let after, key <= after { continue }
      if let last, key >= last { continue }
      first.append((key, entry))
      guard first.count == 2 * limit else { continue }
      first.sort { $0.key < $1.key }
      first.removeLast(limit)
      last = first[limit - 1].key
    }
    return first.sorted { $0.key < $1.key }.prefix(limit).map(\.entry)
  }
}
