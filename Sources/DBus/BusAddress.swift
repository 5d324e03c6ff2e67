// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Which bus to connect to.
public enum BusAddress: Hashable, Sendable {
  /// The system bus, at `$DBUS_SYSTEM_BUS_ADDRESS` or where the D-Bus specification says.
  case system
  /// The session bus, at `$DBUS_SESSION_BUS_ADDRESS` or in `$XDG_RUNTIME_DIR`.
  case session
  /// A bus by its address, as `unix:path=/tmp/bus`.
  case address(String)

  /// The address as text; throws `NoServer` when there is no session to have a bus.
  public func resolved() throws(DBusError) -> String {
    switch self {
    case .address(let address): return address
    case .system: return Self.variable("DBUS_SYSTEM_BUS_ADDRESS") ?? "unix:path=/run/dbus/system_bus_socket"
    case .session:
      if let address = Self.variable("DBUS_SESSION_BUS_ADDRESS") { return address }
      if let directory = Self.variable("XDG_RUNTIME_DIR") { return "unix:path=\(directory)/bus" }
      throw DBusError(
        .noServer, "There is no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set")
    }
  }

  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }
}
