// SPDX-License-Identifier: Apache-2.0

/// An XML element: what is read from a stream and what is written to one.
///
/// A view on immutable storage that it shares with the elements around it: cheap to copy and to pass on, and an
/// element that is kept keeps the whole stanza. Two elements are equal when their content is.
public struct Element: Sendable {
  let fragment: Fragment
  let index: Int

  init(_ fragment: Fragment, at index: Int) {
    self.fragment = fragment
    self.index = index
  }

  var node: Node { fragment.nodes[index] }

  /// The local name.
  public var name: String { fragment.name(node.name) }

  /// The namespace; empty for none.
  public var namespace: String { fragment.name(node.namespace) }

  /// Whether this is `name` in `namespace`.
  public func matches(_ name: String, _ namespace: String) -> Bool {
    let node = node
    return fragment.name(node.name) == name && fragment.name(node.namespace) == namespace
  }

  /// The value of an attribute, `nil` where it is absent.
  ///
  /// - Parameter namespace: the attribute's own namespace; almost every attribute has none.
  public func attribute(_ name: String, _ namespace: String = "") -> String? {
    for attribute in fragment.attributes(of: node)
    where fragment.name(attribute.name) == name && fragment.name(attribute.namespace) == namespace {
      return fragment.string(from: attribute.start, count: attribute.count)
    }
    return nil
  }

  /// The language of the element's text (`xml:lang`): its own, else that of the nearest element around it, else
  /// that of the stream it came from.
  public var language: String? {
    var language = fragment.language
    var ancestor = 0
    while true {
      language = Element(fragment, at: ancestor).attribute("lang", xmlNamespace) ?? language
      if ancestor == index { return language }
      ancestor += 1
      // The next ancestor is the child whose nodes include ours.
      while fragment.nodes[ancestor].end <= index { ancestor = Int(fragment.nodes[ancestor].end) }
    }
  }

  /// The elements directly inside, in their order.
  public var children: [Element] {
    var children: [Element] = []
    forEachChild { node, index in
      if !node.isText { children.append(Element(fragment, at: index)) }
      return true
    }
    return children
  }

  /// The first element directly inside with this name and namespace.
  public func child(_ name: String, _ namespace: String) -> Element? {
    var found: Element?
    forEachChild { node, index in
      guard !node.isText, fragment.name(node.name) == name, fragment.name(node.namespace) == namespace else {
        return true
      }
      found = Element(fragment, at: index)
      return false
    }
    return found
  }

  /// The character data directly inside, without that of elements inside.
  public var text: String {
    var text = ""
    forEachChild { node, _ in
      if node.isText { text += fragment.string(from: node.start, count: node.count) }
      return true
    }
    return text
  }

  /// Calls `body` with what is directly inside until it answers false.
  func forEachChild(_ body: (Node, Int) -> Bool) {
    let end = Int(node.end)
    var next = index + 1
    while next < end {
      let node = fragment.nodes[next]
      guard body(node, next) else { return }
      next = Int(node.end)
    }
  }
}
