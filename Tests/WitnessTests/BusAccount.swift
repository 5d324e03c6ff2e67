// SPDX-License-Identifier: Apache-2.0

import Support

/// An account in the hands of a daemon, of any domain and on any server, driven over D-Bus: for scenarios about the
/// connection, where nobody is there to see presence.
struct BusAccount {
  /// Its object.
  let path: String

  private let bus: RawBus

  /// Adds it.
  init(_ jid: String, on bus: RawBus, _ parameters: [String: BusValue]) throws {
    self.bus = bus
    path =
      try bus.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddConnection",
        [.string(jid), .array("{sv}", parameters.map { .entry(.string($0.key), .variant($0.value)) })]
      ).first?.text ?? ""
  }

  /// Takes it away; what is remembered of it stays.
  func remove() throws {
    try bus.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "RemoveConnection",
      [.path(path), .options()])
  }

  /// Calls a method without waiting.
  func begin(_ member: String, _ arguments: [BusValue] = []) throws -> RawBus.Pending {
    try bus.begin(DaemonProcess.busName, path, "org.nightcloak.Presence1.Connection", member, arguments)
  }

  /// Calls a method.
  @discardableResult
  func call(_ member: String, _ arguments: [BusValue] = []) throws -> [BusValue] {
    try bus.finish(begin(member, arguments))
  }

  /// What Connect is refused with; nil when it is not.
  func refusal() throws -> RawBus.Refusal? {
    do {
      try call("Connect")
      return nil
    } catch let refusal as RawBus.Refusal {
      return refusal
    }
  }

  /// The value of a property, asked for by `bus` or by the one that added the account.
  func get(_ property: String, by bus: RawBus? = nil) throws -> BusValue? {
    try (bus ?? self.bus).call(
      DaemonProcess.busName, path, "org.freedesktop.DBus.Properties", "Get",
      [.string("org.nightcloak.Presence1.Connection"), .string(property)]
    ).first
  }
}
