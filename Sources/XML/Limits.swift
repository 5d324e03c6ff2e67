// SPDX-License-Identifier: Apache-2.0

/// What a peer may make us hold in memory (RFC 6120 §13.12).
public struct Limits: Sendable, Hashable {
  /// The most bytes of one stanza, or of a stream's header.
  public var stanzaBytes = 256 * 1024
  /// Stanzas of these names may be larger.
  public var largerStanzas: [String: Int] = [:]
  /// How deep elements may nest in a stanza; the stanza itself is at depth 1.
  public var depth = 64
  /// The most attributes of one element, its namespace declarations included.
  public var attributes = 64
  /// How many bytes of namespaces a stanza may take on top of its own size when each element names its own: a prefix is
  /// declared once, however long what it stands for, and used as often as there is room.
  public var namespaceBytes = 64 * 1024
  /// How many bytes of element names, attribute names and namespaces are remembered before they are forgotten
  /// and learnt anew.
  public var nameBytes = 256 * 1024

  /// The limits of this program.
  public init() {}
}
