// SPDX-License-Identifier: Apache-2.0

internal import XML

/// Stanzas for the eye: real ones, with the middle of long values left out.
enum StanzaText {
  private static let longestValue = 30
  private static let keptBefore = 7
  private static let keptAfter = 15

  /// The start tag, each child, and the end tag.
  static func pieces(_ stanza: Element) -> [String] {
    let text = shortened(stanza.serialized(within: Wire.namespace))
    let children = stanza.children
    guard !children.isEmpty, let open = text.firstIndex(of: ">") else { return [text] }
    return [String(text[...open])]
      + children.map { shortened($0.serialized(within: Wire.namespace)) }
      + ["</\(stanza.name)>"]
  }

  /// Attribute values alone are quoted with apostrophes: in text, our serializer's callers have none.
  private static func shortened(_ text: String) -> String {
    text.split(separator: "'", omittingEmptySubsequences: false).enumerated().map { index, part in
      guard index % 2 == 1, part.count > longestValue else { return String(part) }
      return "\(part.prefix(keptBefore))...\(part.suffix(keptAfter))"
    }.joined(separator: "'")
  }
}
