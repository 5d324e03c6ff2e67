// SPDX-License-Identifier: Apache-2.0

extension Element {
  /// The element with other attributes, and all that is inside as it was: what a server does to a stanza that it passes on.
  public func with(attributes: [Attribute]) -> Element {
    var builder = FragmentBuilder()
    builder.open(name, namespace, attributes)
    forEachChild { node, index in
      if node.isText {
        builder.add(text: fragment.string(from: node.start, count: node.count))
      } else {
        builder.add(Element(fragment, at: index))
      }
      return true
    }
    return Element(builder.finish(), at: 0)
  }
}
