// SPDX-License-Identifier: Apache-2.0

/// What the introspection XML says of an interface, for checking calls and explaining what was wrong with them.
public final class InterfaceDescription: Sendable {
  /// The name.
  public let name: String
  /// The methods, in the order of the XML.
  public let methods: [MethodDescription]
  /// The properties, in the order of the XML.
  public let properties: [PropertyDescription]
  /// The XML with its comments, as it stands between `<node>` and `</node>`.
  public let xml: String

  /// A description; made by the generator.
  public init(name: String, methods: [MethodDescription], properties: [PropertyDescription], xml: String) {
    self.name = name
    self.methods = methods
    self.properties = properties
    self.xml = xml
  }
}

/// A method of an interface.
public struct MethodDescription: Sendable {
  /// The name.
  public let name: String
  /// The arguments that go in.
  public let arguments: [ArgumentDescription]
  /// The types of the arguments that go in, together.
  public let signature: String
  /// The types of the arguments that come out, together.
  public let result: String

  /// A description; made by the generator.
  public init(_ name: String, _ arguments: [ArgumentDescription], result: String) {
    self.name = name
    self.arguments = arguments
    self.signature = arguments.map(\.type).joined()
    self.result = result
  }

  /// What a caller has to give, as `Approve(id s, scope s, options a{sv})`.
  var usage: String { "\(name)(\(arguments.map { "\($0.name) \($0.type)" }.joined(separator: ", ")))" }
}

/// An argument of a method.
public struct ArgumentDescription: Sendable {
  /// The name.
  public let name: String
  /// The signature of its type.
  public let type: String

  /// A description; made by the generator.
  public init(_ name: String, _ type: String) {
    self.name = name
    self.type = type
  }
}

/// A property of an interface.
public struct PropertyDescription: Sendable {
  /// What a change of the property makes known (the annotation `EmitsChangedSignal`).
  public enum Emission: Sendable {
    /// `PropertiesChanged` with the new value.
    case value
    /// `PropertiesChanged` without the value.
    case invalidation
    /// Nothing: it does not change.
    case constant
    /// Nothing, although it may change.
    case nothing
  }

  /// The name.
  public let name: String
  /// The signature of its type.
  public let type: String
  /// Whether it can be read.
  public let isReadable: Bool
  /// Whether it can be set.
  public let isWritable: Bool
  /// What a change makes known.
  public let emission: Emission

  /// A description; made by the generator.
  public init(_ name: String, _ type: String, readable: Bool, writable: Bool, emission: Emission) {
    self.name = name
    self.type = type
    self.isReadable = readable
    self.isWritable = writable
    self.emission = emission
  }
}
