// SPDX-License-Identifier: Apache-2.0

// For whoever must answer in the very words of a question, order included.

extension Element {
  /// An attribute of an element.
  public struct Attribute: Hashable, Sendable {
    /// The local name.
    public let name: String
    /// The namespace; almost every attribute has none.
    public let namespace: String
    /// The value.
    public var value: String

    /// Makes one; `xml:lang` is the only name that has a prefix.
    public init(_ name: String, _ value: String) {
      let isLanguage = name == "xml:lang"
      self.init(name: isLanguage ? "lang" : name, namespace: isLanguage ? xmlNamespace : "", value: value)
    }

    init(name: String, namespace: String, value: String) {
      self.name = name
      self.namespace = namespace
      self.value = value
    }
  }

  /// The attributes in their order.
  public var attributes: [Attribute] {
    fragment.attributes(of: node).map {
      Attribute(
        name: fragment.name($0.name), namespace: fragment.name($0.namespace),
        value: fragment.string(from: $0.start, count: $0.count))
    }
  }

  /// About as many bytes as the stanza takes that the element is part of: what keeping it costs.
  public var storedBytes: Int {
    fragment.bytes.count + fragment.nodes.count * MemoryLayout<Node>.stride
      + fragment.attributes.count * MemoryLayout<AttributeRecord>.stride
  }

  /// The language that the element itself names (`xml:lang`), whatever is around it.
  public var ownLanguage: String? { attribute("lang", xmlNamespace) }

  /// The element with other attributes, and all that is inside, text between elements too.
  /// - Parameters:
  ///   - child: an element to put inside as well.
  ///   - isFirst: whether in front of the elements that are there, else behind them.
  public func with(attributes: [Attribute], adding child: Element, isFirst: Bool) -> Element {
    var builder = FragmentBuilder()
    builder.open(name, namespace, attributes)
    var isAdded = false
    forEachChild { node, index in
      if node.isText {
        builder.add(text: fragment.string(from: node.start, count: node.count))
      } else {
        if isFirst, !isAdded {
          builder.add(child)
          isAdded = true
        }
        builder.add(Element(fragment, at: index))
      }
      return true
    }
    if !isAdded { builder.add(child) }
    return Element(builder.finish(), at: 0)
  }

  /// The element without what is inside, but with `child`, and with other attributes.
  public func with(attributes: [Attribute], only child: Element) -> Element {
    var builder = FragmentBuilder()
    builder.open(name, namespace, attributes)
    builder.add(child)
    return Element(builder.finish(), at: 0)
  }

  /// The element with the attributes of every element in reverse order.
  public var attributesReversed: Element {
    var attributes: [AttributeRecord] = []
    attributes.reserveCapacity(fragment.attributes.count)
    let nodes = fragment.nodes.map { node in
      guard !node.isText else { return node }
      var node = node
      let own = fragment.attributes(of: node)
      node.start = Int32(attributes.count)
      attributes.append(contentsOf: own.reversed())
      return node
    }
    return Element(
      Fragment(
        nodes: nodes, attributes: attributes, bytes: fragment.bytes, names: fragment.names, language: fragment.language
      ), at: index)
  }
}
