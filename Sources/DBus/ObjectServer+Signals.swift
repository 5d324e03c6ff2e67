// SPDX-License-Identifier: Apache-2.0

internal import CDBus
public import EventLoop

extension ObjectServer {
  /// Sends a signal whose arguments `body` writes to whom the policy says. What cannot be sent goes to `onFault`.
  /// - Parameter names: unique names that are sent it instead, and nobody else.
  public func emit(
    _ path: ObjectPath, _ interface: String, _ member: String, to names: [String]? = nil,
    _ body: (inout Writer) throws(DBusError) -> Void
  ) {
    let context = SignalContext(path: path, interface: interface, member: member, object: path, concerns: interface)
    emit(context, to: names, body)
  }

  /// Tells that `object` is there now; `manager` is the path of the ObjectManager above it.
  public func objectAdded(_ object: ExportedObject, manager: ObjectPath) {
    let context = SignalContext(
      path: manager, interface: StandardInterface.objectManager, member: "InterfacesAdded", object: object.path,
      concerns: nil)
    emit(context) { (writer: inout Writer) throws(DBusError) in
      try writer.write(object.path)
      try writer.write(interfacesOf: object)
    }
  }

  /// Tells that `object` is not there any more; `manager` is the path of the ObjectManager above it.
  public func objectRemoved(_ object: ExportedObject, manager: ObjectPath) {
    let context = SignalContext(
      path: manager, interface: StandardInterface.objectManager, member: "InterfacesRemoved", object: object.path,
      concerns: nil)
    emit(context) { (writer: inout Writer) throws(DBusError) in
      try writer.write(object.path)
      try writer.write(object.interfaces.map(\.description.name))
    }
  }

  /// Tells that the properties at `indexes` changed, as each one's annotation says: with the value, without, or not.
  public func propertiesChanged(_ path: ObjectPath, _ skeleton: any InterfaceSkeleton, _ indexes: [Int]) {
    let description = skeleton.description
    let known = indexes.filter(description.properties.indices.contains)
    let valued = known.filter { description.properties[$0].emission == .value }
    let invalidated = known.filter { description.properties[$0].emission == .invalidation }
    guard !valued.isEmpty || !invalidated.isEmpty else { return }
    let context = SignalContext(
      path: path, interface: StandardInterface.properties, member: "PropertiesChanged", object: path,
      concerns: description.name)
    emit(context) { (writer: inout Writer) throws(DBusError) in
      try writer.write(description.name)
      try writer.write(propertiesOf: [skeleton], at: valued)
      try writer.write(invalidated.map { description.properties[$0].name })
    }
  }

  private func emit(
    _ context: SignalContext, to names: [String]? = nil, _ body: (inout Writer) throws(DBusError) -> Void
  ) {
    let recipients = names.map(SignalRecipients.only) ?? policy.recipients(of: context)
    guard recipients != .only([]), connection.isOpen else { return }
    do {
      let message = try Message.signal(context.path, context.interface, context.member)
      var writer = Writer(message.pointer)
      try body(&writer)
      switch recipients {
      case .everyone: try connection.send(message.pointer)
      case .only(let names):
        for name in names {
          try Validation.busName(name)
          guard let copy = dbus_message_copy(message.pointer) else { continue }
          defer { dbus_message_unref(copy) }
          guard dbus_message_set_destination(copy, name) != 0 else { continue }
          try connection.send(copy)
        }
      }
    } catch {
      onFault(error)
    }
  }
}

/// Where the signals of one object come from; the generated emitters write to it.
@LoopActor
public struct SignalSource {
  /// The object.
  public let path: ObjectPath
  private weak var server: ObjectServer?
  private let recipients: [String]?

  /// Emits from `path` through `server`.
  /// - Parameter recipients: unique names that alone are sent the signals; `nil` for whom the policy says.
  public init(_ server: ObjectServer, _ path: ObjectPath, to recipients: [String]? = nil) {
    self.server = server
    self.path = path
    self.recipients = recipients
  }

  /// Sends a signal; see ``ObjectServer/emit(_:_:_:to:_:)``.
  public func emit(_ interface: String, _ member: String, _ body: (inout Writer) throws(DBusError) -> Void) {
    server?.emit(path, interface, member, to: recipients, body)
  }

  /// Tells of changed properties; see ``ObjectServer/propertiesChanged(_:_:_:)``.
  public func propertiesChanged(_ skeleton: any InterfaceSkeleton, _ indexes: [Int]) {
    server?.propertiesChanged(path, skeleton, indexes)
  }
}
