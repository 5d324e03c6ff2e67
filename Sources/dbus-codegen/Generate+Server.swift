// SPDX-License-Identifier: Apache-2.0

/// The protocol that whoever serves the interface implements: nothing in it has a default, so that a member without
/// an implementation does not compile.
func serverProtocol(_ interface: Interface) throws -> [String] {
  var lines = comment(interface.documentation, otherwise: "Serves \(interface.name).", "")
  lines += ["@LoopActor", "public protocol \(interface.shortName)Server: AnyObject {"]
  for method in interface.methods {
    let all = try parameters(method.arguments) + ["caller: Caller"]
    let returned = try result(method.results).map { " -> \($0)" } ?? ""
    lines += comment(method.documentation, otherwise: "\(method.name).")
    lines.append("  func \(declared(method.name))(\(all.joined(separator: ", "))) async throws\(returned)")
  }
  for property in interface.properties {
    let type = try SwiftType(property.type).text
    let documentation = comment(property.documentation, otherwise: "\(property.name).")
    if property.isReadable { lines += documentation + ["  var \(declared(property.name)): \(type) { get }"] }
    if property.isWritable {
      lines += documentation + ["  func set\(property.name)(_ value: \(type), caller: Caller) async throws"]
    }
  }
  return lines + ["}"]
}

/// The class that joins an implementation to the bus.
func skeleton(_ interface: Interface) throws -> [String] {
  let name = interface.shortName
  var lines = [
    "/// Joins a ``\(name)Server`` to the bus.",
    "@LoopActor",
    "public final class \(name)Skeleton: InterfaceSkeleton {",
    "  private let server: any \(name)Server",
    "",
    "  /// Serves with `server`, which is kept as long as this is.",
    "  public init(_ server: any \(name)Server) { self.server = server }",
    "",
    "  /// The interface.",
    "  public nonisolated var description: InterfaceDescription { Self.interface }",
    "",
  ]
  lines += invoke(interface, try interface.methods.map { try invocation(of: $0) })
  lines += properties(interface, try interface.properties.map { try SwiftType($0.type).text })
  return lines + [""] + description(interface) + ["}"]
}

private func invoke(_ interface: Interface, _ cases: [[String]]) -> [String] {
  var lines = [
    "  /// Carries out a method.",
    "  public func invoke(_ method: Int, _ call: MethodCall) throws(DBusError) {",
  ]
  if !cases.isEmpty {
    if !interface.methods.allSatisfy(\.arguments.isEmpty) { lines.append("    var reader = call.reader()") }
    lines.append("    let (server, caller) = (server, call.caller)")
  }
  lines.append("    switch method {")
  for (index, body) in cases.enumerated() { lines += ["    case \(index):"] + body }
  return lines + [
    "    default: call.fail(DBusError(.unknownMethod, \"There is no method \\(method)\"))",
    "    }",
    "  }",
    "",
  ]
}

private func invocation(of method: Method) throws -> [String] {
  // Not by the arguments' names, which may be those of what else is in scope.
  var lines = try method.arguments.enumerated().map {
    "      let value\($0.offset) = try reader.read(\(try SwiftType($0.element.type).text).self)"
  }
  let passed = method.arguments.enumerated().map { "\(declared($0.element.name)): value\($0.offset)" }
  let arguments = (passed + ["caller: caller"]).joined(separator: ", ")
  let call = "try call.answer({ try await server.\(declared(method.name))(\(arguments)) })"
  let returned = try result(method.results)
  guard let returned else { return lines + ["      \(call) { (_: Void, _: inout Writer) in }"] }
  lines.append("      \(call) { (result: \(returned), writer: inout Writer) throws(DBusError) in")
  let values = method.results.count == 1 ? ["result"] : method.results.map { "result.\(declared($0.name))" }
  return lines + values.map { "        try writer.write(\($0))" } + ["      }"]
}

private func properties(_ interface: Interface, _ types: [String]) -> [String] {
  var lines = [
    "  /// Writes a property's value.",
    "  public func get(_ property: Int, _ writer: inout Writer) throws(DBusError) {",
    "    switch property {",
  ]
  for (index, property) in interface.properties.enumerated() where property.isReadable {
    lines.append("    case \(index): try writer.write(server.\(declared(property.name)))")
  }
  lines += [
    "    default: throw DBusError(.unknownProperty, \"There is no property \\(property) to read\")",
    "    }",
    "  }",
    "",
    "  /// Sets a property.",
    "  public func set(_ property: Int, _ reader: inout Reader, _ call: MethodCall) throws(DBusError) {",
  ]
  if interface.properties.contains(where: \.isWritable) {
    lines.append("    let (server, caller) = (server, call.caller)")
  }
  lines.append("    switch property {")
  for (index, property) in interface.properties.enumerated() where property.isWritable {
    lines += [
      "    case \(index):",
      "      let value = try reader.read(\(types[index]).self)",
      "      try call.answer({ try await server.set\(property.name)(value, caller: caller) }) { (_: Void, _: inout Writer) in }",
    ]
  }
  return lines + [
    "    default: throw DBusError(.propertyReadOnly, \"There is no property \\(property) to set\")",
    "    }",
    "  }",
  ]
}

private func description(_ interface: Interface) -> [String] {
  var lines = [
    "  /// What the introspection XML says.",
    "  public nonisolated static let interface = InterfaceDescription(",
    "    name: \"\(interface.name)\",",
    "    methods: [",
  ]
  for method in interface.methods {
    let arguments = method.arguments.map { "ArgumentDescription(\"\($0.name)\", \"\($0.type)\")" }
    lines.append(
      "      MethodDescription(\"\(method.name)\", [\(arguments.joined(separator: ", "))], "
        + "result: \"\(signature(method.results))\"),")
  }
  lines += ["    ],", "    properties: ["]
  for property in interface.properties {
    lines.append(
      "      PropertyDescription(\"\(property.name)\", \"\(property.type)\", readable: \(property.isReadable), "
        + "writable: \(property.isWritable), emission: .\(property.emission.rawValue)),")
  }
  return lines + ["    ],", "    xml: ###\"\"\"", interface.xml, "", "\"\"\"###)"]
}
