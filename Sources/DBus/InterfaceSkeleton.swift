// SPDX-License-Identifier: Apache-2.0

public import EventLoop

/// The joint between the bus and whoever implements an interface; the generator makes one for each.
///
/// Members go by their index in the description. Whether they exist, and whether the arguments have the right types,
/// was checked before.
@LoopActor
public protocol InterfaceSkeleton: AnyObject {
  /// The interface.
  nonisolated var description: InterfaceDescription { get }
  /// Carries out a method, and sees to it that `call` is answered now or later.
  func invoke(_ method: Int, _ call: MethodCall) throws(DBusError)
  /// Writes a property's value.
  func get(_ property: Int, _ writer: inout Writer) throws(DBusError)
  /// Sets a property to the next value of `reader`, and sees to it that `call` is answered now or later.
  func set(_ property: Int, _ reader: inout Reader, _ call: MethodCall) throws(DBusError)
}

/// An object on the bus: a path and what it can do there.
@LoopActor
public final class ExportedObject {
  /// Where it is.
  public nonisolated let path: ObjectPath
  /// What it can do, besides Introspectable, Properties and Peer, which all objects have.
  public let interfaces: [any InterfaceSkeleton]

  /// An object.
  public init(_ path: ObjectPath, _ interfaces: [any InterfaceSkeleton]) {
    self.path = path
    self.interfaces = interfaces
  }

  /// The interface of that name.
  func interface(_ name: String) -> (any InterfaceSkeleton)? {
    for interface in interfaces where interface.description.name == name { return interface }
    return nil
  }
}

/// Which objects there are, asked anew for each message and for whoever sent it.
///
/// An object that the caller must not know of is to be kept out of every answer: what it then gets is, byte for byte,
/// what it gets for a path where there is nothing.
@LoopActor
public protocol ObjectTree: AnyObject {
  /// The object at `path`, if there is one for `caller`.
  func object(at path: ObjectPath, for caller: Caller) -> ExportedObject?
  /// The names of the nodes directly below `path` that have, or lead to, an object for `caller`.
  func children(of path: ObjectPath, for caller: Caller) -> [String]
  /// The objects below `path` where there is an ObjectManager for `caller`; nil where there is none.
  func managedObjects(under path: ObjectPath, for caller: Caller) -> [ExportedObject]?
}
