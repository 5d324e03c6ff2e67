// SPDX-License-Identifier: Apache-2.0

internal import CXML
internal import Glibc

/// One element of the file, with the comment before it.
struct XMLElement {
  let node: xmlNodePtr

  var name: String { node.pointee.name.map { String(cString: $0) } ?? "" }

  subscript(_ attribute: String) -> String? {
    var next = node.pointee.properties
    while let candidate = next {
      if candidate.pointee.name.map({ String(cString: $0) }) == attribute {
        return candidate.pointee.children?.pointee.content.map { String(cString: $0) } ?? ""
      }
      next = candidate.pointee.next
    }
    return nil
  }

  func required(_ attribute: String) throws -> String {
    guard let value = self[attribute], !value.isEmpty else {
      throw GeneratorError("line \(xmlGetLineNo(node)): <\(name)> has no attribute \(attribute)")
    }
    return value
  }

  var children: [XMLElement] {
    var found: [XMLElement] = []
    var next = node.pointee.children
    while let child = next {
      if child.pointee.type == XML_ELEMENT_NODE { found.append(XMLElement(node: child)) }
      next = child.pointee.next
    }
    return found
  }

  /// The lines of the comment directly before the element.
  var documentation: [String] {
    var previous = node.pointee.prev
    while let candidate = previous, candidate.pointee.type == XML_TEXT_NODE { previous = candidate.pointee.prev }
    guard let comment = previous, comment.pointee.type == XML_COMMENT_NODE, let content = comment.pointee.content
    else { return [] }
    let lines = String(cString: content).split(separator: "\n", omittingEmptySubsequences: false)
      .map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
    let indentation = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    let text = lines.map { String($0.dropFirst(indentation)) }
    return Array(text.drop(while: \.isEmpty).reversed().drop(while: \.isEmpty).reversed())
  }

  /// The value of an annotation.
  func annotation(_ name: String) throws -> String? {
    for child in children where child.name == "annotation" {
      if try child.required("name") == name { return try child.required("value") }
    }
    return nil
  }
}

extension Interface {
  private static let emission = "org.freedesktop.DBus.Property.EmitsChangedSignal"

  /// Reads the one interface of a file.
  init(contentsOf path: String) throws {
    let options = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
    guard let document = xmlReadFile(path, nil, options) else { throw GeneratorError("not well-formed XML") }
    defer { xmlFreeDoc(document) }
    guard let root = xmlDocGetRootElement(document) else { throw GeneratorError("no element in it") }
    let interfaces = XMLElement(node: root).children.filter { $0.name == "interface" }
    guard let element = interfaces.first, interfaces.count == 1 else {
      throw GeneratorError("<node> must contain one <interface>, not \(interfaces.count)")
    }
    let name = try element.required("name")
    guard name.contains("."), name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isName) else {
      throw GeneratorError("\(name) is no valid interface name")
    }
    self.init(
      name: name, documentation: element.documentation, xml: try Self.content(of: path),
      file: path.split(separator: "/").last.map(String.init) ?? path)
    let byDefault = try element.annotation(Self.emission)
    for child in element.children {
      switch child.name {
      case "method": methods.append(try Method(child))
      case "signal": signals.append(try Signal(child))
      case "property":
        properties.append(try Property(child, emission: try child.annotation(Self.emission) ?? byDefault))
      case "annotation": break
      default: throw GeneratorError("line \(xmlGetLineNo(child.node)): <\(child.name)> is not known in an interface")
      }
    }
  }

  /// The text of the file between `<node>` and `</node>`.
  private static func content(of path: String) throws -> String {
    guard let file = fopen(path, "r") else { throw GeneratorError(String(cString: strerror(errno))) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer.prefix(count) }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(of: "<node>"), let end = lines.lastIndex(of: "</node>"), start < end else {
      throw GeneratorError("<node> and </node> must stand on lines of their own")
    }
    return lines[(start + 1)..<end].drop(while: \.isEmpty).joined(separator: "\n")
  }
}

extension Argument {
  fileprivate init(_ element: XMLElement, position: Int) throws {
    name = element["name"] ?? "argument\(position)"
    type = try element.required("type")
    guard isName(name[...]) else { throw GeneratorError("\(name) is no valid name") }
    // What the generated functions add to the arguments.
    guard !["caller", "timeout", "writer"].contains(swiftName(name)) else {
      throw GeneratorError("an argument cannot be named \(name)")
    }
    _ = try SwiftType(type)
  }
}

extension Method {
  fileprivate init(_ element: XMLElement) throws {
    name = try memberName(element)
    documentation = element.documentation
    for (position, argument) in element.children.filter({ $0.name == "arg" }).enumerated() {
      let argumentIsResult = argument["direction"] == "out"
      let parsed = try Argument(argument, position: position)
      if argumentIsResult { results.append(parsed) } else { arguments.append(parsed) }
    }
  }
}

extension Signal {
  fileprivate init(_ element: XMLElement) throws {
    name = try memberName(element)
    documentation = element.documentation
    arguments = try element.children.filter { $0.name == "arg" }.enumerated().map {
      try Argument($0.element, position: $0.offset)
    }
  }
}

extension Property {
  fileprivate init(_ element: XMLElement, emission: String?) throws {
    name = try memberName(element)
    documentation = element.documentation
    type = try element.required("type")
    _ = try SwiftType(type)
    switch try element.required("access") {
    case "read": (isReadable, isWritable) = (true, false)
    case "write": (isReadable, isWritable) = (false, true)
    case "readwrite": (isReadable, isWritable) = (true, true)
    case let access: throw GeneratorError("\(name): \(access) is no access")
    }
    switch emission {
    case nil, "true": self.emission = .value
    case "invalidates": self.emission = .invalidation
    case "const": self.emission = .constant
    case "false": self.emission = .nothing
    case let other?: throw GeneratorError("\(name): EmitsChangedSignal cannot be \(other)")
    }
  }
}

private func memberName(_ element: XMLElement) throws -> String {
  let name = try element.required("name")
  guard isName(name[...]) else { throw GeneratorError("\(name) is no valid member name") }
  return name
}

private func isName(_ text: Substring) -> Bool {
  guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
  return text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
