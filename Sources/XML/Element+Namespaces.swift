// SPDX-License-Identifier: Apache-2.0

extension Element {
  /// The element with every element of the namespace `old`, itself and those inside, in the namespace `new`: clients,
  /// servers and components say the same stanzas in a namespace each (RFC 6120 §4.8.3).
  public func moving(from old: String, to new: String) -> Element {
    // A namespace is a name as any other, but no name of an element or attribute is also a namespace that we move.
    guard let number = fragment.names.firstIndex(of: old) else { return self }
    var names = fragment.names
    names[number] = new
    return Element(
      Fragment(
        nodes: fragment.nodes, attributes: fragment.attributes, bytes: fragment.bytes, names: names,
        language: fragment.language), at: index)
  }
}
