// SPDX-License-Identifier: Apache-2.0

/// What an introspection XML file says.
struct Interface {
  var name: String
  var documentation: [String]
  var methods: [Method] = []
  var signals: [Signal] = []
  var properties: [Property] = []
  /// The text between `<node>` and `</node>`.
  var xml: String
  /// The file's name.
  var file: String

  /// The last component, which the Swift types are named for.
  var shortName: String { String(name.split(separator: ".").last ?? "") }
}

struct Argument {
  var name: String
  var type: String
}

struct Method {
  var name: String
  var documentation: [String]
  var arguments: [Argument] = []
  var results: [Argument] = []
}

struct Signal {
  var name: String
  var documentation: [String]
  var arguments: [Argument] = []
}

struct Property {
  enum Emission: String {
    case value
    case invalidation
    case constant
    case nothing
  }
  var name: String
  var documentation: [String]
  var type: String
  var isReadable: Bool
  var isWritable: Bool
  var emission: Emission
}

/// Why a file cannot be turned into Swift.
struct GeneratorError: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
