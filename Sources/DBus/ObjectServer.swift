// SPDX-License-Identifier: Apache-2.0

internal import CDBus
public import EventLoop

/// Serves the objects of a tree on a connection: takes every call on every path, finds out who is calling, and
/// answers it or passes it on.
@LoopActor
public final class ObjectServer {
  /// The connection.
  public let connection: BusConnection
  /// Called when a signal could not be sent; nobody waits for it who could be told.
  public var onFault: @LoopActor (DBusError) -> Void = { _ in }

  let tree: any ObjectTree
  let policy: any SignalPolicy
  private var inProgress: [String: Int] = [:]

  /// Serves `tree` on `connection` until the connection ends. Set up before a name is requested, so that nobody who
  /// finds the name finds no objects.
  public init(_ connection: BusConnection, tree: any ObjectTree, policy: any SignalPolicy) {
    self.connection = connection
    self.tree = tree
    self.policy = policy
    connection.server = self
  }

  // MARK: Who is calling

  func received(_ message: OpaquePointer) {
    let sender = Message.text(dbus_message_get_sender(message))
    let senders = connection.senders
    if let caller = senders.cached(sender) { return serve(message, caller) }
    guard !sender.isEmpty else {
      return connection.fail(message, DBusError(.accessDenied, "The bus does not say who is calling"))
    }
    guard senders.waiting(for: sender) < Limits.callsAwaitingCredentials,
      senders.waiting(for: sender) > 0 || senders.identifying < Limits.callersAwaitingCredentials
    else {
      return connection.fail(
        message, DBusError(.limitsExceeded, "Too many calls at once; wait for the answers to the first ones"))
    }
    let message = Message(keeping: message)
    senders.identify(sender) { [self] result in
      switch result {
      case .success(let caller): serve(message.pointer, caller)
      case .failure(let error):
        connection.fail(
          message.pointer, DBusError(.accessDenied, "The bus did not say which user is calling: \(error.message)"))
      }
    }
  }

  // MARK: What is called

  /// Existence comes first: nothing else is looked at, let alone complained of, where there is nothing for the caller.
  private func serve(_ message: OpaquePointer, _ caller: Caller) {
    let path = ObjectPath(checked: Message.text(dbus_message_get_path(message)))
    let object = tree.object(at: path, for: caller)
    do throws(DBusError) {
      if let object, Message.isCall(message, "org.freedesktop.DBus.Properties", "Get") {
        return try get(message, object)
      }
      let node = Node(
        path: path, object: object, managed: tree.managedObjects(under: path, for: caller),
        children: tree.children(of: path, for: caller))
      guard node.exists else { throw DBusError.unknownObject(path.text) }
      try route(message, MethodCall(message, caller, path, self), node)
    } catch {
      connection.fail(message, error)
    }
  }

  private func route(_ message: OpaquePointer, _ call: MethodCall, _ node: Node) throws(DBusError) {
    let member = Message.text(dbus_message_get_member(message))
    // The interface may be left out: then the first that has such a method is meant.
    let name = dbus_message_get_interface(message).map { String(cString: $0) }
    for interface in StandardInterface.all(for: node) where name == nil || name == interface.name {
      guard let method = interface.methods.first(where: { $0.name == member }) else {
        if name == nil { continue }
        throw unknownMethod(member, interface)
      }
      try check(message, method)
      return try serve(standard: member, message, call, node)
    }
    for skeleton in node.object?.interfaces ?? [] where name == nil || name == skeleton.description.name {
      let description = skeleton.description
      guard let index = description.methods.firstIndex(where: { $0.name == member }) else {
        if name == nil { continue }
        throw unknownMethod(member, description)
      }
      try check(message, description.methods[index])
      return try skeleton.invoke(index, call)
    }
    guard let name else { throw DBusError(.unknownMethod, "\(node.path) has no method \(member) in any interface") }
    throw DBusError(.unknownInterface, "\(node.path) has no interface \(name); it has \(node.interfaceNames)")
  }

  private func unknownMethod(_ member: String, _ description: InterfaceDescription) -> DBusError {
    let known = description.methods.isEmpty ? "none" : description.methods.map(\.name).joined(separator: ", ")
    return DBusError(.unknownMethod, "\(description.name) has no method \(member); it has \(known)")
  }

  /// Throws `InvalidArgs` unless the arguments are those of `method`.
  func check(_ message: OpaquePointer, _ method: MethodDescription) throws(DBusError) {
    guard dbus_message_has_signature(message, method.signature) == 0 else { return }
    let given = Message.text(dbus_message_get_signature(message))
    throw DBusError(
      .invalidArgs, "\(method.usage) takes arguments of type \(typed(method.signature)), not \(typed(given))")
  }

  private func typed(_ signature: String) -> String { signature.isEmpty ? "nothing" : signature }

  // MARK: Calls that are answered later

  func begin(_ call: MethodCall) throws(DBusError) {
    let count = inProgress[call.caller.name, default: 0]
    guard count < Limits.callsInProgress else {
      throw DBusError(.limitsExceeded, "\(count) calls of yours are being worked on; wait for their answers")
    }
    inProgress[call.caller.name] = count + 1
  }

  func finished(_ call: MethodCall) {
    let count = inProgress[call.caller.name, default: 1] - 1
    inProgress[call.caller.name] = count > 0 ? count : nil
  }
}
