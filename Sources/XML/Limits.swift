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
  /// How many bytes of element names, attribute names and namespaces are remembered before they are forgotten
  /// and learnt anew.
  public var nameBytes = 256 * 1024

  /// The limits of this program.
  public init() {}
}
