// SPDX-License-Identifier: Apache-2.0

extension Element {
  /// Makes an element.
  ///
  /// - Parameters:
  ///   - name: its local name.
  ///   - namespace: its namespace; empty for none.
  ///   - attributes: in their order; those whose value is `nil` are left out. `xml:lang` is the only one with a
  ///     prefix.
  ///   - children: the elements inside. They are copied: an element can be inside several others.
  ///   - text: character data in front of the children.
  public init(
    _ name: String, _ namespace: String, _ attributes: KeyValuePairs<String, String?> = [:],
    children: [Element] = [], text: String = ""
  ) {
    var builder = FragmentBuilder()
    builder.open(name, namespace, attributes)
    builder.add(text: text)
    for child in children { builder.add(child) }
    self.init(builder.finish(), at: 0)
  }
}

/// Lays one element out as a ``Fragment``.
struct FragmentBuilder {
  private var nodes: [Node] = []
  private var attributes: [AttributeRecord] = []
  private var bytes: [UInt8] = []
  private var names = [""]
  private var indexes: [String: Int32] = ["": 0]

  mutating func open(_ name: String, _ namespace: String, _ pairs: KeyValuePairs<String, String?>) {
    open(name, namespace, pairs.compactMap { name, value in value.map { Element.Attribute(name, $0) } })
  }

  mutating func open(_ name: String, _ namespace: String, _ given: [Element.Attribute]) {
    let first = Int32(attributes.count)
    for attribute in given {
      add(
        AttributeRecord(
          name: index(of: xmlName(attribute.name)), namespace: index(of: attribute.namespace), start: 0, count: 0),
        value: attribute.value.utf8)
    }
    nodes.append(
      Node(
        name: index(of: xmlName(name)), namespace: index(of: namespace), end: 1, start: first,
        count: Int32(attributes.count) - first))
  }

  mutating func add(text: String) {
    guard !text.isEmpty else { return }
    let start = Int32(bytes.count)
    bytes.append(contentsOf: text.utf8)
    nodes.append(
      Node(
        name: Node.text, namespace: 0, end: Int32(nodes.count) + 1, start: start, count: Int32(bytes.count) - start))
  }

  /// Copies `element` and all inside it behind what is there.
  mutating func add(_ element: Element) {
    let source = element.fragment
    var translated = [Int32?](repeating: nil, count: source.names.count)
    func translate(_ name: Int32, _ builder: inout FragmentBuilder) -> Int32 {
      if let known = translated[Int(name)] { return known }
      let index = builder.index(of: source.name(name))
      translated[Int(name)] = index
      return index
    }
    let shift = Int32(nodes.count - element.index)
    for var node in source.nodes[element.index..<Int(element.node.end)] {
      let first = node.isText ? Int32(bytes.count) : Int32(attributes.count)
      if node.isText {
        bytes.append(contentsOf: source.bytes[Int(node.start)..<Int(node.start + node.count)])
      } else {
        for var attribute in source.attributes(of: node) {
          attribute.name = translate(attribute.name, &self)
          attribute.namespace = translate(attribute.namespace, &self)
          add(attribute, value: source.bytes[Int(attribute.start)..<Int(attribute.start + attribute.count)])
        }
        node.name = translate(node.name, &self)
        node.namespace = translate(node.namespace, &self)
      }
      node.start = first
      node.end += shift
      nodes.append(node)
    }
  }

  mutating func finish() -> Fragment {
    nodes[0].end = Int32(nodes.count)
    return Fragment(nodes: nodes, attributes: attributes, bytes: bytes, names: names)
  }

  private mutating func add(_ attribute: AttributeRecord, value: some Collection<UInt8>) {
    var attribute = attribute
    attribute.start = Int32(bytes.count)
    attribute.count = Int32(value.count)
    bytes.append(contentsOf: value)
    attributes.append(attribute)
  }

  private mutating func index(of name: String) -> Int32 {
    if let index = indexes[name] { return index }
    let index = Int32(names.count)
    names.append(name)
    indexes[name] = index
    return index
  }
}

/// `name` without what would end a name and begin something else: names come from our code, but should one ever
/// come from a person it must not become markup.
private func xmlName(_ name: String) -> String {
  func isAllowed(_ scalar: Unicode.Scalar, first: Bool) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "_", "\u{a1}"...: true
    case "0"..."9", "-", ".": !first
    default: false
    }
  }
  let scalars = name.unicodeScalars
  if !name.isEmpty, scalars.enumerated().allSatisfy({ isAllowed($1, first: $0 == 0) }) { return name }
  var clean = String.UnicodeScalarView()
  for scalar in scalars { clean.append(isAllowed(scalar, first: clean.isEmpty) ? scalar : "_") }
  return clean.isEmpty ? "_" : String(clean)
}
