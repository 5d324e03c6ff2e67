// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import EventLoop

extension BusConnection {
  /// Reads a property of another object; throws as a call does, and `InvalidArgs` when it is not of type `T`.
  public func property<T: BusType>(
    _ destination: String, _ path: ObjectPath, _ interface: String, _ name: String
  ) async throws(DBusError) -> T {
    let reply = try await call(destination, path, StandardInterface.properties, "Get") {
      (writer: inout Writer) throws(DBusError) in
      try writer.write(interface)
      try writer.write(name)
    }
    return try reply.readVariant()
  }

  /// Sets a property of another object; throws as a call does.
  public func setProperty<T: BusType>(
    _ destination: String, _ path: ObjectPath, _ interface: String, _ name: String, _ value: T
  ) async throws(DBusError) {
    _ = try await call(destination, path, StandardInterface.properties, "Set") {
      (writer: inout Writer) throws(DBusError) in
      try writer.write(interface)
      try writer.write(name)
      try writer.container(dbus_type_variant, T.signature) { (inner: inout Writer) throws(DBusError) in
        try inner.write(value)
      }
    }
  }

  /// Calls `handler` with the new values and the names of invalidated properties when `PropertiesChanged` says so of
  /// the interface.
  public func onPropertiesChanged(
    _ sender: String, _ path: ObjectPath, _ interface: String,
    _ handler: @escaping @LoopActor ([String: Value], [String]) -> Void
  ) async throws(DBusError) -> SignalMatch {
    let filter = SignalFilter(
      sender: sender, path: path, interface: StandardInterface.properties, member: "PropertiesChanged",
      firstArgument: interface)
    return try await match(filter) { signal in
      var reader = signal.reader()
      // A signal with other arguments is not what its name says.
      guard (try? reader.read(String.self)) != nil, let changed = try? reader.read([String: Value].self),
        let invalidated = try? reader.read([String].self)
      else { return }
      handler(changed, invalidated)
    }
  }
}

extension Reply {
  /// Reads the content of the next argument, a variant; throws `InvalidArgs` when it is not a `T`.
  public func readVariant<T: BusType>(_ type: T.Type = T.self) throws(DBusError) -> T {
    let content = try read(Value.self)
    guard let value = T(content) else {
      throw DBusError(.invalidArgs, "The value is of type \(content.signature), not \(T.signature)")
    }
    return value
  }
}
