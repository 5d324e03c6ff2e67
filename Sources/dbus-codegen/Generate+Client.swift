// SPDX-License-Identifier: Apache-2.0

/// The struct that sends the interface's signals. Only properties that may change, and tell so, can be named.
func emitter(_ interface: Interface) throws -> [String] {
  let name = interface.shortName
  var lines = [
    "/// Sends the signals of \(interface.name) from one object, to whom the policy says.",
    "@LoopActor",
    "public struct \(name)Emitter {",
    "  private let source: SignalSource",
    "",
    "  /// Sends from `path`.",
    "  /// - Parameter recipients: unique names that alone are sent them, whatever the policy says.",
    "  public init(_ server: ObjectServer, _ path: ObjectPath, to recipients: [String]? = nil) {",
    "    source = SignalSource(server, path, to: recipients)",
    "  }",
  ]
  for signal in interface.signals {
    lines += [""] + comment(signal.documentation, otherwise: "\(signal.name).")
    lines.append(
      "  public func \(declared(signal.name))(\(try parameters(signal.arguments).joined(separator: ", "))) {")
    lines += emission(of: signal, interface) + ["  }"]
  }
  let changing = interface.properties.enumerated().filter {
    $0.element.emission == .value || $0.element.emission == .invalidation
  }
  guard !changing.isEmpty else { return lines + ["}"] }
  lines += [
    "", "  /// The properties whose changes are told.", "  public enum Property: Int, Sendable, CaseIterable {",
  ]
  for (index, property) in changing {
    lines += ["    /// \(property.name).", "    case \(declared(property.name)) = \(index)"]
  }
  return lines + [
    "  }",
    "",
    "  /// Tells that properties have changed, each as its annotation says: with the value that `server` has, or without.",
    "  public func propertiesChanged(_ properties: Set<Property>, of server: any \(name)Server) {",
    "    source.propertiesChanged(\(name)Skeleton(server), properties.map(\\.rawValue).sorted())",
    "  }",
    "}",
  ]
}

private func emission(of signal: Signal, _ interface: Interface) -> [String] {
  let call = "self.source.emit(\"\(interface.name)\", \"\(signal.name)\")"
  guard !signal.arguments.isEmpty else { return ["    \(call) { _ in }"] }
  return ["    \(call) { (writer: inout Writer) throws(DBusError) in"]
    + signal.arguments.map { "      try writer.write(\(declared($0.name)))" } + ["    }"]
}

/// The struct that calls the interface on another connection.
func proxy(_ interface: Interface) throws -> [String] {
  var lines = [
    "/// Calls \(interface.name) of an object on the bus.",
    "@LoopActor",
    "public struct \(interface.shortName)Proxy {",
    "  /// The connection that calls.",
    "  public let connection: BusConnection",
    "  /// The name that is called.",
    "  public let destination: String",
    "  /// The object.",
    "  public let path: ObjectPath",
    "  /// The name of the interface.",
    "  public nonisolated static let interface = \"\(interface.name)\"",
    "",
    "  /// Calls the object at `path` of `destination`, a unique or well-known name.",
    "  public nonisolated init(_ connection: BusConnection, _ destination: String, _ path: ObjectPath) {",
    "    self.connection = connection",
    "    self.destination = destination",
    "    self.path = path",
    "  }",
  ]
  for method in interface.methods { lines += [""] + (try proxyMethod(method)) }
  for property in interface.properties { lines += [""] + (try proxyProperty(property)) }
  for signal in interface.signals { lines += [""] + (try proxySignal(signal)) }
  if !interface.properties.isEmpty {
    lines += [
      "",
      "  /// Calls `handler` with new values and invalidated names whenever properties of the interface change.",
      "  public func onPropertiesChanged(",
      "    _ handler: @escaping @LoopActor ([String: Value], [String]) -> Void",
      "  ) async throws(DBusError) -> SignalMatch {",
      "    try await connection.onPropertiesChanged(destination, path, Self.interface, handler)",
      "  }",
    ]
  }
  return lines + ["}"]
}

private func proxyMethod(_ method: Method) throws -> [String] {
  let all = try parameters(method.arguments) + ["timeout: Duration = .seconds(25)"]
  let returned = try result(method.results)
  var lines = comment(method.documentation, otherwise: "\(method.name).")
  if returned != nil { lines.append("  @discardableResult") }
  lines.append(
    "  public func \(declared(method.name))(\(all.joined(separator: ", "))) async throws(DBusError)"
      + (returned.map { " -> \($0)" } ?? "") + " {")
  let call =
    "try await self.connection.call(self.destination, self.path, Self.interface, \"\(method.name)\", timeout: timeout)"
  if method.arguments.isEmpty {
    lines.append("    let reply = \(call) { (_: inout Writer) in }")
  } else {
    lines.append("    let reply = \(call) { (writer: inout Writer) throws(DBusError) in")
    lines += method.arguments.map { "      try writer.write(\(declared($0.name)))" }
    lines.append("    }")
  }
  lines.append("    try reply.expect(\"\(signature(method.results))\", from: \"\(method.name)\")")
  switch method.results.count {
  case 0: break
  case 1: lines.append("    return try reply.read()")
  default:
    let reads = method.results.map { _ in "try reply.read()" }
    lines.append("    return (\(reads.joined(separator: ", ")))")
  }
  return lines + ["  }"]
}

private func proxyProperty(_ property: Property) throws -> [String] {
  let type = try SwiftType(property.type).text
  var lines: [String] = []
  if property.isReadable {
    lines += comment(property.documentation, otherwise: "\(property.name).")
    lines += [
      "  public var \(declared(property.name)): \(type) {",
      "    get async throws(DBusError) {",
      "      try await connection.property(destination, path, Self.interface, \"\(property.name)\")",
      "    }",
      "  }",
    ]
  }
  guard property.isWritable else { return lines }
  lines += comment(property.documentation, otherwise: "\(property.name).")
  return lines + [
    "  public func set\(property.name)(_ value: \(type)) async throws(DBusError) {",
    "    try await connection.setProperty(destination, path, Self.interface, \"\(property.name)\", value)",
    "  }",
  ]
}

private func proxySignal(_ signal: Signal) throws -> [String] {
  let types = try signal.arguments.map { try SwiftType($0.type).text }
  var lines = comment(signal.documentation, otherwise: "\(signal.name).")
  lines += [
    "  public func on\(signal.name)(",
    "    _ handler: @escaping @LoopActor (\(types.joined(separator: ", "))) -> Void",
    "  ) async throws(DBusError) -> SignalMatch {",
    "    let filter = SignalFilter(",
    "      sender: destination, path: path, interface: Self.interface, member: \"\(signal.name)\")",
    "    return try await connection.match(filter) { signal in",
    "      guard signal.signature.text == \"\(signature(signal.arguments))\" else { return }",
  ]
  let names = signal.arguments.indices.map { "value\($0)" }
  if !names.isEmpty {
    lines.append("      var reader = signal.reader()")
    let reads = zip(names, types).map { "let \($0) = try? reader.read(\($1).self)" }
    lines += ["      guard \(reads.joined(separator: ", ")) else { return }"]
  }
  return lines + ["      handler(\(names.joined(separator: ", ")))", "    }", "  }"]
}
