// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// What is at a path for one caller.
struct Node {
  let path: ObjectPath
  let object: ExportedObject?
  let managed: [ExportedObject]?
  let children: [String]

  /// A path that only leads to objects exists too, so that tools find the way down.
  var exists: Bool { object != nil || managed != nil || !children.isEmpty }
}

/// The interfaces of the D-Bus specification that are the same for every object.
enum StandardInterface {
  static let properties = "org.freedesktop.DBus.Properties"
  static let objectManager = "org.freedesktop.DBus.ObjectManager"

  /// Those that `node` has. Peer is answered by libdbus, on every path alike.
  static func all(for node: Node) -> [InterfaceDescription] {
    var all = [introspectable]
    if node.object != nil { all.append(propertiesInterface) }
    if node.managed != nil { all.append(managerInterface) }
    return all
  }

  /// Whether the interface is one of these, or Peer.
  static func isStandard(_ name: String) -> Bool {
    name == introspectable.name || name == properties || name == objectManager
      || name == "org.freedesktop.DBus.Peer"
  }

  static let introspectable = InterfaceDescription(
    name: "org.freedesktop.DBus.Introspectable", methods: [MethodDescription("Introspect", [], result: "s")],
    properties: [],
    xml: """
        <interface name="org.freedesktop.DBus.Introspectable">
          <method name="Introspect">
            <arg name="xml_data" type="s" direction="out"/>
          </method>
        </interface>

      """)

  static let peer = """
      <interface name="org.freedesktop.DBus.Peer">
        <method name="Ping"/>
        <method name="GetMachineId">
          <arg name="machine_uuid" type="s" direction="out"/>
        </method>
      </interface>

    """

  static let propertiesInterface = InterfaceDescription(
    name: properties,
    methods: [
      MethodDescription(
        "Get", [ArgumentDescription("interface_name", "s"), ArgumentDescription("property_name", "s")], result: "v"),
      MethodDescription("GetAll", [ArgumentDescription("interface_name", "s")], result: "a{sv}"),
      MethodDescription(
        "Set",
        [
          ArgumentDescription("interface_name", "s"), ArgumentDescription("property_name", "s"),
          ArgumentDescription("value", "v"),
        ], result: ""),
    ],
    properties: [],
    xml: """
        <interface name="org.freedesktop.DBus.Properties">
          <method name="Get">
            <arg name="interface_name" type="s" direction="in"/>
            <arg name="property_name" type="s" direction="in"/>
            <arg name="value" type="v" direction="out"/>
          </method>
          <method name="GetAll">
            <arg name="interface_name" type="s" direction="in"/>
            <arg name="properties" type="a{sv}" direction="out"/>
          </method>
          <method name="Set">
            <arg name="interface_name" type="s" direction="in"/>
            <arg name="property_name" type="s" direction="in"/>
            <arg name="value" type="v" direction="in"/>
          </method>
          <signal name="PropertiesChanged">
            <arg name="interface_name" type="s"/>
            <arg name="changed_properties" type="a{sv}"/>
            <arg name="invalidated_properties" type="as"/>
          </signal>
        </interface>

      """)

  static let managerInterface = InterfaceDescription(
    name: objectManager, methods: [MethodDescription("GetManagedObjects", [], result: "a{oa{sa{sv}}}")],
    properties: [],
    xml: """
        <interface name="org.freedesktop.DBus.ObjectManager">
          <method name="GetManagedObjects">
            <arg name="objects" type="a{oa{sa{sv}}}" direction="out"/>
          </method>
          <signal name="InterfacesAdded">
            <arg name="object" type="o"/>
            <arg name="interfaces" type="a{sa{sv}}"/>
          </signal>
          <signal name="InterfacesRemoved">
            <arg name="object" type="o"/>
            <arg name="interfaces" type="as"/>
          </signal>
        </interface>

      """)
}

@LoopActor
extension Node {
  /// All interfaces, for people.
  var interfaceNames: String {
    let own = object?.interfaces.map(\.description.name) ?? []
    return (own + StandardInterface.all(for: self).map(\.name)).joined(separator: ", ")
  }

  /// The answer to Introspect.
  var introspection: String {
    var xml = """
      <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
      <node>

      """
    for interface in StandardInterface.all(for: self) { xml += interface.xml }
    xml += StandardInterface.peer
    for skeleton in object?.interfaces ?? [] { xml += skeleton.description.xml }
    for child in children { xml += "  <node name=\"\(child)\"/>\n" }
    return xml + "</node>\n"
  }
}
