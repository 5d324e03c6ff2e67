// SPDX-License-Identifier: Apache-2.0

internal import CXML

/// Reads an XML stream (RFC 6120 §4) piece by piece, as it comes from the network.
///
/// Enforces the restrictions of RFC 6120 §11 and the given ``Limits``. Nothing is called back: what a piece of
/// input brought is returned, so that whoever handles it is free to drop the parser.
public final class StreamParser {
  /// What was read.
  public enum Event: Sendable, Hashable {
    /// The stream's header, as an element without content.
    case opened(Element)
    /// An element directly inside the stream.
    case stanza(Element)
    /// The stream's end tag. What follows is ignored.
    case closed
    /// The stream cannot be read on; always the last event, and told once.
    case failed(StreamParserError)
  }

  /// libxml2 works on large pieces at once; the size of a stanza is judged between them.
  private static let mostBytesAtOnce = 16 * 1024
  private static let initializeLibrary: Void = xmlInitParser()

  // Allocated, because libxml2's callbacks find it by its address. It is never touched for longer than one call of
  // ours, least of all while libxml2 runs: the callbacks would change it behind our back.
  private let assembly: UnsafeMutablePointer<Assembly>

  /// How often names were forgotten because the peer sent too many of them.
  public private(set) var renewals = 0

  /// A parser for a new stream.
  public init(limits: Limits = Limits()) {
    _ = Self.initializeLibrary
    assembly = .allocate(capacity: 1)
    assembly.initialize(to: Assembly(limits: limits))
    renewContext()
  }

  deinit {
    xmlFreeParserCtxt(assembly.pointee.context)
    assembly.deinitialize(count: 1)
    assembly.deallocate()
  }

  /// How many bytes were fed since the last stanza or header ended. Anything but 0 when the server says that TLS
  /// may begin means that somebody put it there (RFC 6120 §5.4.3.3).
  public var bytesAfterLastStanza: Int { assembly.pointee.bytesAfterLastStanza }

  /// The content namespace that the stream's header declares (RFC 6120 §4.8.2); empty where it declares none, and before
  /// there is one.
  public var contentNamespace: String { assembly.pointee.contentNamespace }

  /// What the names that are remembered cost, in bytes.
  var nameBytes: Int { assembly.pointee.nameBytes }

  /// Reads the next bytes of the stream. After `.closed` or `.failed` there are no more events.
  public func feed(_ bytes: UnsafeRawBufferPointer) -> [Event] {
    var position = 0
    while position < bytes.count, !assembly.pointee.hasEnded {
      let end = min(position + Self.mostBytesAtOnce, bytes.count)
      parse(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
      // What the old context had not read when it had learnt too many names goes to a new one.
      while let unread = assembly.pointee.unread, !assembly.pointee.hasEnded {
        renewals += 1
        renewContext()
        unread.withUnsafeBytes { parse($0) }
      }
      position = end
    }
    return assembly.pointee.takeEvents()
  }

  /// Reads the next bytes of the stream.
  public func feed(_ bytes: [UInt8]) -> [Event] { bytes.withUnsafeBytes { feed($0) } }

  private func parse(_ bytes: UnsafeRawBufferPointer) {
    assembly.pointee.willParse(bytes.count)
    let start = bytes.bindMemory(to: CChar.self).baseAddress
    let code = xmlParseChunk(assembly.pointee.context, start, Int32(bytes.count), 0)
    assembly.pointee.didParse(code: code)
  }

  /// Puts a new context in the place of the old one, with the header of the stream read already if there was one.
  private func renewContext() {
    xmlFreeParserCtxt(assembly.pointee.context)
    var handler = streamHandler()
    let context = xmlCreatePushParserCtxt(&handler, assembly, nil, 0, nil)
    // Without NOENT an ampersand in an attribute stays the reference that it was written as. There are no other
    // entities to replace: whatever could declare one is refused.
    xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOENT.rawValue))
    // Settled in advance, so that libxml2 does not guess from the first bytes.
    xmlSwitchEncoding(context, XML_CHAR_ENCODING_UTF8)
    let header = assembly.pointee.adopt(context)
    if !header.isEmpty { header.withUnsafeBytes { parse($0) } }
  }
}
