// SPDX-License-Identifier: Apache-2.0

internal import DBus

/// The `a{sv}` of a call, read key by key. A key that nobody reads, or of another type, is refused by name: an
/// option that is accepted and ignored would be a promise that is not kept.
struct Options {
  private var values: [String: Value]
  private let place: String

  /// - Parameter place: what the dictionary is called in errors, as `options of Approve`.
  init(_ values: [String: Value], in place: String) {
    self.values = values
    self.place = place
  }

  /// Takes a key out; `nil` where it is absent.
  /// - Throws: `InvalidArgs` naming the key when its value is of another type.
  mutating func take<Kind: BusType>(_ key: String, _ kind: Kind.Type = Kind.self) throws(DBusError) -> Kind? {
    guard let value = values.removeValue(forKey: key) else { return nil }
    guard let result = Kind(value) else {
      throw DBusError(
        .invalidArgs,
        "\"\(key)\" in the \(place) must be of type \(Kind.signature), not \(value.signature).")
    }
    return result
  }

  /// Refuses what has not been taken.
  /// - Throws: `InvalidArgs` naming the first key that is left.
  func end(known: String) throws(DBusError) {
    guard let key = values.keys.sorted().first else { return }
    let allowed = known.isEmpty ? "there are none" : "known: \(known)"
    throw DBusError(.invalidArgs, "\"\(key)\" is not one of the \(place) (\(allowed)).")
  }

  /// Refuses keys that dbus-interfaces has and that are not built yet.
  /// - Throws: `NotSupported` naming the key.
  func refuse(_ keys: String...) throws(DBusError) {
    for key in keys where values[key] != nil {
      throw DBusError(.notSupported, "\"\(key)\" in the \(place) is not built yet: leave it out.")
    }
  }
}
