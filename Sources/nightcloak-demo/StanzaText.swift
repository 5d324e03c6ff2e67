// SPDX-License-Identifier: Apache-2.0

internal import XML

/// Stanzas for the eye: real ones, with dots for what is left out.
enum StanzaText {
  private static let longestValue = 26
  private static let keptOfResource = 4
  private static let keptOfHash = 8
  private static let keptAfter = 16
  private static let capabilities = "http://jabber.org/protocol/caps"

  /// How much of a stanza's content is written out; the rest is dots.
  enum Detail {
    case all, nothing
    /// What people see of presence.
    case moods
    /// What an IQ is about.
    case purpose
  }

  /// What may be put on lines of its own: attributes, children, the end tag.
  /// - Parameter attributes: those that are written out.
  static func pieces(
    _ stanza: Element, _ detail: Detail, attributes: [String] = ["from", "to", "type"]
  ) -> [String] {
    let attributes = attributes.compactMap { name in
      stanza.attribute(name).map { "\(name)='\(jid($0))'" }
    }
    let open = ["<\(stanza.name)"] + attributes
    let children = content(of: stanza, detail)
    return stanza.children.isEmpty
      ? open.dropLast() + ["\(open.last ?? "")/>"]
      : open.dropLast() + ["\(open.last ?? "")>"] + children + ["</\(stanza.name)>"]
  }

  private static func content(of stanza: Element, _ detail: Detail) -> [String] {
    switch detail {
    case .all: return stanza.children.map(child)
    case .nothing: return ["..."]
    case .purpose:
      return stanza.children.map { payload in
        let open = "<\(payload.name) xmlns='\(payload.namespace)'"
        return payload.children.isEmpty ? "\(open)/>" : "\(open)>...</\(payload.name)>"
      }
    case .moods:
      let moods = stanza.children.filter { ["show", "status"].contains($0.name) }
      return moods.map(child) + (moods.count < stanza.children.count ? ["..."] : [])
    }
  }

  /// A JID with the beginning of its resource, which is random and long.
  static func jid(_ text: String) -> String {
    guard let slash = text.firstIndex(of: "/") else { return text }
    let resource = text[text.index(after: slash)...]
    return resource.count <= keptOfResource ? text : "\(text[...slash])\(resource.prefix(keptOfResource))..."
  }

  private static func child(_ element: Element) -> String {
    if element.matches("c", capabilities) {
      return "<c ... ver='\((element.attribute("ver") ?? "").prefix(keptOfHash))...'/>"
    }
    // Only attribute values are between apostrophes: no text that the demo sends has one.
    let text = element.serialized(within: Wire.namespace)
    return text.split(separator: "'", omittingEmptySubsequences: false).enumerated().map { index, part in
      index % 2 == 1 && part.count > longestValue ? "...\(part.suffix(keptAfter))" : String(part)
    }.joined(separator: "'")
  }
}
