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

  /// Takes the priority of presence out (RFC 6121 §4.7.2.3): `n`, or `i`, which is what most languages make of a number.
  /// - Throws: `InvalidArgs` when it is of another type, or none.
  mutating func takePriority() throws(DBusError) -> Int8? {
    let number: Int32
    if case .int32(let wide) = values["priority"] {
      values["priority"] = nil
      number = wide
    } else {
      guard let narrow: Int16 = try take("priority") else { return nil }
      number = Int32(narrow)
    }
    guard let priority = Int8(exactly: number) else {
      throw DBusError(.invalidArgs, "\"priority\" is \(number), but must be from -128 to 127.")
    }
    return priority
  }

  /// Refuses what has not been taken.
  /// - Throws: `InvalidArgs` naming the first key that is left.
  func end(known: String) throws(DBusError) {
    guard let key = values.keys.sorted().first else { return }
    let allowed = known.isEmpty ? "there are none" : "known: \(known)"
    throw DBusError(.invalidArgs, "\"\(key.prefix(100))\" is not one of the \(place) (\(allowed)).")
  }

  /// Refuses keys that dbus-interfaces has and that are not built yet.
  /// - Throws: `NotSupported` naming the key.
  func refuse(_ keys: String...) throws(DBusError) {
    for key in keys where values[key] != nil {
      throw DBusError(.notSupported, "\"\(key)\" in the \(place) is not built yet: leave it out.")
    }
  }
}
