// SPDX-License-Identifier: Apache-2.0

extension Element: Hashable {
  /// Whether names, namespaces, attributes (in any order), text and elements inside are the same.
  public static func == (left: Element, right: Element) -> Bool {
    if left.fragment === right.fragment && left.index == right.index { return true }
    guard left.node.end - Int32(left.index) == right.node.end - Int32(right.index) else { return false }
    return zip(left.index..<Int(left.node.end), right.index..<Int(right.node.end)).allSatisfy { here, there in
      equal(left, here, right, there)
    }
  }

  /// Hashes what ``==(_:_:)`` compares.
  public func hash(into hasher: inout Hasher) {
    for index in index..<Int(node.end) {
      let node = fragment.nodes[index]
      hasher.combine(Int(node.end) - index)
      if node.isText {
        hasher.combine(fragment.string(from: node.start, count: node.count))
      } else {
        hasher.combine(fragment.name(node.name))
        hasher.combine(fragment.name(node.namespace))
        hasher.combine(node.count)
      }
    }
  }

  /// Compares two nodes without what is inside them. The lengths of their subtrees stand for the tree's shape.
  private static func equal(_ left: Element, _ here: Int, _ right: Element, _ there: Int) -> Bool {
    let (mine, theirs) = (left.fragment.nodes[here], right.fragment.nodes[there])
    guard Int(mine.end) - here == Int(theirs.end) - there, mine.isText == theirs.isText, mine.count == theirs.count
    else { return false }
    if mine.isText {
      return left.fragment.string(from: mine.start, count: mine.count)
        == right.fragment.string(from: theirs.start, count: theirs.count)
    }
    let other = Element(right.fragment, at: there)
    return other.matches(left.fragment.name(mine.name), left.fragment.name(mine.namespace))
      && left.fragment.attributes(of: mine).allSatisfy { attribute in
        other.attribute(left.fragment.name(attribute.name), left.fragment.name(attribute.namespace))
          == left.fragment.string(from: attribute.start, count: attribute.count)
      }
  }
}
