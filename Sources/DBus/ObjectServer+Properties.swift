// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import EventLoop

extension ObjectServer {
  /// Answers a method of a standard interface whose arguments were checked.
  func serve(
    standard member: String, _ message: OpaquePointer, _ call: MethodCall, _ node: Node
  ) throws(DBusError) {
    switch member {
    case "Introspect":
      let xml = node.introspection
      connection.reply(message) { (writer: inout Writer) throws(DBusError) in try writer.write(xml) }
    case "GetManagedObjects":
      policy.wasRead(node.path, subtree: true, by: call.caller)
      connection.reply(message) { (writer: inout Writer) throws(DBusError) in
        try writer.write(objects: node.managed ?? [])
      }
    default:
      guard let object = node.object else { throw DBusError.unknownObject(node.path.text) }
      switch member {
      case "Get": try get(message, object)
      case "Set": try set(message, object, call)
      default: try getAll(message, object, call.caller)
      }
    }
  }

  /// Answers Properties.Get at once: no task, no copy of the value. It is what callers ask most.
  func get(_ message: OpaquePointer, _ object: ExportedObject) throws(DBusError) {
    var reader = Reader(message)
    guard Message.hasSignature(message, "ss") else {
      return try check(message, StandardInterface.propertiesInterface.methods[0])
    }
    let (skeleton, index) = try property(try reader.read(), try reader.read(), of: object)
    let property = skeleton.description.properties[index]
    guard property.isReadable else {
      throw DBusError(.accessDenied, "\(property.name) of \(skeleton.description.name) can only be set, not read")
    }
    connection.reply(message) { (writer: inout Writer) throws(DBusError) in
      try writer.write(property: index, of: skeleton)
    }
  }

  private func set(_ message: OpaquePointer, _ object: ExportedObject, _ call: MethodCall) throws(DBusError) {
    var reader = Reader(message)
    let (skeleton, index) = try property(try reader.read(), try reader.read(), of: object)
    let property = skeleton.description.properties[index]
    guard property.isWritable else {
      throw DBusError(.propertyReadOnly, "\(property.name) of \(skeleton.description.name) cannot be set")
    }
    try reader.container(dbus_type_variant) { (inner: inout Reader) throws(DBusError) in
      let given = inner.restSignature
      guard given == property.type else {
        throw DBusError(.invalidArgs, "\(property.name) is of type \(property.type), not \(given)")
      }
      try skeleton.set(index, &inner, call)
    }
  }

  private func getAll(_ message: OpaquePointer, _ object: ExportedObject, _ caller: Caller) throws(DBusError) {
    var reader = Reader(message)
    let name = try reader.read(String.self)
    let skeletons = name.isEmpty ? object.interfaces : [try interface(name, of: object)].compactMap { $0 }
    policy.wasRead(object.path, subtree: false, by: caller)
    connection.reply(message) { (writer: inout Writer) throws(DBusError) in
      try writer.write(propertiesOf: skeletons)
    }
  }

  /// The interface of that name; nil for a standard one, which has no properties.
  private func interface(_ name: String, of object: ExportedObject) throws(DBusError) -> (any InterfaceSkeleton)? {
    if let skeleton = object.interface(name) { return skeleton }
    let node = Node(path: object.path, object: object, managed: nil, children: [])
    if StandardInterface.isStandard(name) { return nil }
    throw DBusError(.unknownInterface, "\(object.path) has no interface \(quoted(name)); it has \(node.interfaceNames)")
  }

  private func property(
    _ interfaceName: String, _ name: String, of object: ExportedObject
  ) throws(DBusError) -> (any InterfaceSkeleton, Int) {
    // The common case first, without any list.
    if let skeleton = object.interface(interfaceName), let index = skeleton.description.index(ofProperty: name) {
      return (skeleton, index)
    }
    // An empty name stands for any interface.
    let skeletons =
      interfaceName.isEmpty ? object.interfaces : [try interface(interfaceName, of: object)].compactMap { $0 }
    for skeleton in skeletons {
      if let index = skeleton.description.index(ofProperty: name) { return (skeleton, index) }
    }
    let known = skeletons.flatMap { $0.description.properties.map(\.name) }.joined(separator: ", ")
    throw DBusError(
      .unknownProperty,
      "\(interfaceName.isEmpty ? object.path.text : interfaceName) has no property \(quoted(name)); it has "
        + (known.isEmpty ? "none" : known))
  }
}

extension InterfaceDescription {
  func index(ofProperty name: String) -> Int? { properties.firstIndex { $0.name == name } }
}

@LoopActor
extension Writer {
  /// Appends a property's value as a variant.
  mutating func write(property index: Int, of skeleton: any InterfaceSkeleton) throws(DBusError) {
    let type = skeleton.description.properties[index].type
    try container(dbus_type_variant, type) { (inner: inout Writer) throws(DBusError) in
      try skeleton.get(index, &inner)
    }
  }

  /// Appends the properties of `skeletons` that can be read, as `a{sv}`, or those of one at `indexes`.
  mutating func write(propertiesOf skeletons: [any InterfaceSkeleton], at indexes: [Int]? = nil) throws(DBusError) {
    try container(dbus_type_array, "{sv}") { (array: inout Writer) throws(DBusError) in
      for skeleton in skeletons {
        for (index, property) in skeleton.description.properties.enumerated() where property.isReadable {
          if let indexes, !indexes.contains(index) { continue }
          try array.container(dbus_type_dict_entry, nil) { (entry: inout Writer) throws(DBusError) in
            try entry.write(property.name)
            try entry.write(property: index, of: skeleton)
          }
        }
      }
    }
  }

  /// Appends an object's interfaces with their properties, as `a{sa{sv}}`.
  mutating func write(interfacesOf object: ExportedObject) throws(DBusError) {
    try container(dbus_type_array, "{sa{sv}}") { (array: inout Writer) throws(DBusError) in
      for skeleton in object.interfaces {
        try array.container(dbus_type_dict_entry, nil) { (entry: inout Writer) throws(DBusError) in
          try entry.write(skeleton.description.name)
          try entry.write(propertiesOf: [skeleton])
        }
      }
    }
  }

  /// Appends objects with their interfaces and properties, as `a{oa{sa{sv}}}`.
  mutating func write(objects: [ExportedObject]) throws(DBusError) {
    try container(dbus_type_array, "{oa{sa{sv}}}") { (array: inout Writer) throws(DBusError) in
      for object in objects {
        try array.container(dbus_type_dict_entry, nil) { (entry: inout Writer) throws(DBusError) in
          try entry.write(object.path)
          try entry.write(interfacesOf: object)
        }
      }
    }
  }
}
