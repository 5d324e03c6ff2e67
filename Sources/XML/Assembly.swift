// SPDX-License-Identifier: Apache-2.0

internal import CXML

/// Makes events of what libxml2 reports.
///
/// While libxml2 parses, its callbacks only append here; contexts are made and freed between its calls. It guards
/// neither size nor depth of what is pushed into it, reads on over an undeclared prefix, and keeps every name it ever
/// saw: all of that is guarded here.
struct Assembly {
  private enum Place { case beforeHeader, inStream, ended }

  private let limits: Limits
  private var place = Place.beforeHeader
  private var events: [StreamParser.Event] = []
  private var failure: StreamParserError?

  // The stanza that is being read.
  private var nodes: [Node] = []
  private var attributes: [AttributeRecord] = []
  private var bytes: [UInt8] = []
  private var open: [Int32] = []
  private var hasOpenText = false
  /// How many elements are open inside a part that is left out.
  private var leftOut = 0
  /// What it costs to write the stanza's namespaces, each where it is used.
  private var namespaceBytes = 0

  // The stream around it.
  private var names = NameTable()
  private var language: String?
  private var header = StreamHeader()

  // The context, and how many bytes it was given and has read up to certain points.
  private(set) var context: xmlParserCtxtPtr?
  private var isReplayingHeader = false
  private(set) var unread: [UInt8]?
  private var fed = 0
  private var endOfStanza = 0
  private var endOfSpace = 0

  init(limits: Limits) { self.limits = limits }

  var hasEnded: Bool { place == .ended || failure != nil }
  var bytesAfterLastStanza: Int { fed - endOfStanza }
  var contentNamespace: String { header.contentNamespace }

  // MARK: Between two calls of libxml2

  /// Starts with a new context. Returns the text that puts it where the stream is, if that has begun.
  mutating func adopt(_ context: xmlParserCtxtPtr?) -> [UInt8] {
    self.context = context
    names = NameTable()
    unread = nil
    fed = 0
    endOfStanza = 0
    endOfSpace = 0
    isReplayingHeader = place == .inStream
    return isReplayingHeader ? header.tag : []
  }

  /// Takes note that libxml2 is about to get `count` bytes.
  mutating func willParse(_ count: Int) { fed += count }

  /// Judges what libxml2 made of them: `code` is what it returned.
  mutating func didParse(code: Int32) {
    guard !hasEnded, unread == nil else { return }
    if code != Int32(XML_ERR_OK.rawValue), context?.pointee.wellFormed != 1 {
      fail(.notWellFormed(code: Int(code)))
    } else if fed - max(endOfStanza, endOfSpace) > sizeLimit {
      fail(.stanzaTooLarge(limit: sizeLimit))
    }
  }

  /// How large the stanza that is being read may be.
  private var sizeLimit: Int {
    guard let stanza = nodes.first, !stanza.isText, let larger = limits.largerStanzas[names.strings[Int(stanza.name)]]
    else { return limits.stanzaBytes }
    return max(larger, limits.stanzaBytes)
  }

  mutating func takeEvents() -> [StreamParser.Event] {
    if let failure, place != .ended {
      place = .ended
      events.append(.failed(failure))
    }
    defer { events = [] }
    return events
  }

  /// How many bytes libxml2 has read of those that it was given.
  private var bytesRead: Int {
    guard let input = context?.pointee.input else { return fed }
    return Int(input.pointee.consumed) + (input.pointee.cur - input.pointee.base)
  }

  // MARK: What libxml2 reports

  mutating func fail(_ error: StreamParserError) {
    guard failure == nil else { return }
    failure = error
    if let context { xmlStopParser(context) }
  }

  /// Takes note of an error that libxml2 found, be it one that it reads on over. It must not be stopped here: it is
  /// in the middle of something.
  mutating func noteError(code: Int32) {
    guard failure == nil, place != .ended, unread == nil else { return }
    failure = StreamParserError(libraryCode: code)
  }

  mutating func startElement(_ tag: StartTag) {
    guard !hasEnded, unread == nil else {
      xmlStopParser(context)
      return
    }
    if isReplayingHeader {
      isReplayingHeader = false
      endOfStanza = fed
      return
    }
    if leftOut > 0 {
      leftOut += 1
      return
    }
    if tag.attributeCount + tag.namespaceCount > limits.attributes {
      guard !open.isEmpty else { return fail(.tooManyAttributes(limit: limits.attributes)) }
      return leaveOut()
    }
    guard open.count < limits.depth else { return leaveOut() }
    guard hasRoomForNamespaces(of: tag) else { return leaveOut() }
    let index = Int32(nodes.count)
    nodes.append(
      Node(
        name: names.number(of: tag.name), namespace: names.number(of: tag.uri), end: 0,
        start: Int32(attributes.count), count: Int32(tag.attributeCount)))
    for position in 0..<tag.attributeCount { append(tag.attribute(position)) }
    hasOpenText = false
    if place == .inStream { open.append(index) } else { openStream(tag) }
  }

  /// Counts the namespaces of an element. One declaration serves any number of elements, but we write each element with its
  /// own: a stranger's few kilobytes would become gigabytes when we hand them on, or send them back.
  private mutating func hasRoomForNamespaces(of tag: StartTag) -> Bool {
    guard let outer = open.last else { return true }
    var cost = namespaceBytes
    let namespace = names.number(of: tag.uri)
    if namespace != nodes[Int(outer)].namespace { cost += bytesToDeclare(namespace) }
    for position in 0..<tag.attributeCount {
      let namespace = names.number(of: tag.attribute(position).uri)
      cost += bytesToDeclare(namespace)
    }
    guard cost <= limits.namespaceBytes + max(0, bytesRead - endOfStanza) else { return false }
    namespaceBytes = cost
    return true
  }

  private func bytesToDeclare(_ namespace: Int32) -> Int {
    let name = names.strings[Int(namespace)]
    return name.isEmpty || name == xmlNamespace ? 0 : name.utf8.count + " xmlns=''".utf8.count
  }

  /// Leaves out an element inside a stanza that breaks a limit, with all that it holds. Servers relay such elements
  /// from anybody: if they ended the stream, every stranger could end it.
  private mutating func leaveOut() {
    leftOut = 1
    hasOpenText = false
  }

  mutating func endElement() {
    guard !hasEnded, unread == nil else { return }
    guard leftOut == 0 else {
      leftOut -= 1
      return
    }
    hasOpenText = false
    guard let last = open.popLast() else {
      place = .ended
      events.append(.closed)
      return
    }
    nodes[Int(last)].end = Int32(nodes.count)
    if open.isEmpty { finishStanza() }
  }

  mutating func characters(_ characters: UnsafeBufferPointer<UInt8>) {
    guard !hasEnded, unread == nil else { return }
    guard leftOut == 0 else { return }
    guard !open.isEmpty else { return charactersBetweenStanzas(characters) }
    if hasOpenText {
      nodes[nodes.count - 1].count += Int32(characters.count)
    } else {
      hasOpenText = true
      nodes.append(
        Node(
          name: Node.text, namespace: 0, end: Int32(nodes.count) + 1, start: Int32(bytes.count),
          count: Int32(characters.count)))
    }
    bytes.append(contentsOf: characters)
  }

  private mutating func charactersBetweenStanzas(_ characters: UnsafeBufferPointer<UInt8>) {
    // White space keeps a connection alive (RFC 6120 §4.6.1) for as long as it likes.
    guard characters.allSatisfy({ $0 == 0x20 || (0x9...0xa).contains($0) || $0 == 0xd }) else {
      return fail(.textBetweenStanzas)
    }
    endOfSpace = bytesRead
  }

  private mutating func append(_ attribute: StartTag.Attribute) {
    attributes.append(
      AttributeRecord(
        name: names.number(of: attribute.name), namespace: names.number(of: attribute.uri),
        start: Int32(bytes.count), count: Int32(attribute.value.count)))
    bytes.append(contentsOf: attribute.value)
  }

  private mutating func openStream(_ tag: StartTag) {
    // libxml2 obeys the encoding that a document claims to have.
    for claimed in [context?.pointee.encoding, context?.pointee.input?.pointee.encoding] {
      if let claimed, xmlStrcasecmp(claimed, "UTF-8") != 0 { return fail(.unsupportedEncoding) }
    }
    header = StreamHeader(tag)
    place = .inStream
    nodes[0].end = 1
    let element = Element(takeFragment(), at: 0)
    language = element.attribute("lang", xmlNamespace)
    // libxml2 tells of a start tag before it reads the last byte of it.
    endOfStanza = bytesRead + 1
    events.append(.opened(element))
  }

  private mutating func finishStanza() {
    let start = endOfStanza
    endOfStanza = bytesRead
    guard endOfStanza - max(start, endOfSpace) <= sizeLimit else { return fail(.stanzaTooLarge(limit: sizeLimit)) }
    events.append(.stanza(Element(takeFragment(), at: 0)))
    if let context, nameBytes > limits.nameBytes { stopForRenewal(context) }
  }

  /// What the names cost: their text, and about 64 bytes each for libxml2's entry and for ours.
  var nameBytes: Int {
    guard let names = context?.pointee.dict else { return 0 }
    return xmlDictGetUsage(names) + 64 * Int(xmlDictSize(names))
  }

  /// Stops in front of what was not read yet: it goes to the next context.
  private mutating func stopForRenewal(_ context: xmlParserCtxtPtr) {
    let rest = max(fed - endOfStanza, 0)
    unread = Array(UnsafeBufferPointer(start: context.pointee.input?.pointee.cur, count: rest))
    xmlStopParser(context)
  }

  private mutating func takeFragment() -> Fragment {
    let fragment = Fragment(
      nodes: nodes.exactCopy(), attributes: attributes.exactCopy(), bytes: bytes.exactCopy(), names: names.strings,
      language: language)
    namespaceBytes = 0
    // The room stays for the next stanza, unless this was a very large one.
    let keepsRoom = bytes.capacity <= 64 * 1024 && nodes.capacity <= 4096
    nodes.removeAll(keepingCapacity: keepsRoom)
    attributes.removeAll(keepingCapacity: keepsRoom)
    bytes.removeAll(keepingCapacity: keepsRoom)
    return fragment
  }
}

extension Array {
  /// A copy that has its own storage, without room to grow.
  fileprivate func exactCopy() -> [Element] {
    [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = buffer.initialize(fromContentsOf: self)
    }
  }
}
