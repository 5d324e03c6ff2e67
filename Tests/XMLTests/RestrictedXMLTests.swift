// SPDX-License-Identifier: Apache-2.0

import Testing
import XML

@Suite("What XMPP forbids in XML (RFC 6120 §11)")
struct RestrictedXMLTests {
  private static let laughs = """
    <!DOCTYPE a [<!ENTITY l0 'ha'><!ENTITY l1 '&l0;&l0;&l0;&l0;&l0;&l0;&l0;&l0;&l0;&l0;'>\
    <!ENTITY l2 '&l1;&l1;&l1;&l1;&l1;&l1;&l1;&l1;&l1;&l1;'>]><a xmlns='jabber:client'><b>&l2;</b></a>
    """

  @Test(
    "Is refused as the first thing in a stream",
    arguments: [
      ("restricted-xml", laughs),
      ("restricted-xml", "<!DOCTYPE stream><stream xmlns='x'/>"),
      ("restricted-xml", "<!DOCTYPE s SYSTEM 'file:///etc/passwd'><s xmlns='x'/>"),
      ("restricted-xml", "<!-- hello --><stream xmlns='x'>"),
      ("restricted-xml", "<?xml version='1.0'?><?xml-stylesheet href='x'?><stream xmlns='x'>"),
      ("unsupported-encoding", "<?xml version='1.0' encoding='ISO-8859-1'?><stream xmlns='x'>"),
      ("unsupported-encoding", "<?xml version='1.0' encoding='UTF-16'?><stream xmlns='x'>"),
      ("unsupported-encoding", "<?xml version='1.0' encoding='nonsense'?><stream xmlns='x'>"),
      ("bad-namespace-prefix", "<stream:stream xmlns='jabber:client'>"),
      ("not-well-formed", "HTTP/1.1 400 Bad Request\r\n\r\n"),
      ("not-well-formed", "<stream xmlns='x' a='1' a='2'>"),
    ])
  func header(condition: String, text: String) {
    let events = StreamParser().feed(text)
    #expect(events.failure?.condition == condition, "\(events)")
    #expect(events.stanzas.isEmpty)
  }

  @Test(
    "Is refused inside a stream, and in a fragment",
    arguments: [
      ("restricted-xml", "<a><!-- c --></a>"),
      ("restricted-xml", "<!-- c --><a/>"),
      ("restricted-xml", "<a><?php x?></a>"),
      ("restricted-xml", "<a>&undeclared;</a>"),
      ("restricted-xml", "<a b='&undeclared;'/>"),
      ("not-well-formed", "<!DOCTYPE a><a/>"),
      ("bad-namespace-prefix", "<p:a/>"),
      ("bad-namespace-prefix", "<a p:b='c'/>"),
      ("bad-namespace-prefix", "<a><b xmlns:p='u'/><p:c/></a>"),
      ("not-well-formed", "<a></b></a>"),
      ("not-well-formed", "<a b='1' b='2'/>"),
      ("not-well-formed", "<a b=1/>"),
      ("not-well-formed", "<a>&#0;</a>"),
      ("not-well-formed", "<a b='<'/>"),
      ("not-well-formed", "<a>]]></a>"),
    ])
  func stanza(condition: String, text: String) {
    let events = openedParser().feed(text + "<end/>")
    #expect(events.failure?.condition == condition, "\(events)")
    #expect(events.stanzas.isEmpty)
    #expect(throws: StreamParserError.self) { try Element.parse(text) }
  }

  @Test(
    "Bytes that are no UTF-8, and characters that XML cannot carry, are refused",
    arguments: [
      [0xff, 0xfe], [0xe9], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0x01], [0x00],
      [0xef, 0xbf, 0xbf],
    ] as [[UInt8]])
  func invalidBytes(bytes: [UInt8]) {
    for (before, after) in [("<a>", "</a>"), ("<a b='", "'/>"), ("<a><x", "/></a>")] {
      let events = openedParser().feed(Array(before.utf8) + bytes + Array(after.utf8))
      #expect(events.failure != nil, "\(before) \(bytes)")
      #expect(events.stanzas.isEmpty)
    }
  }

  @Test("Another encoding is not guessed from the first bytes")
  func byteOrderMarks() {
    for mark: [UInt8] in [[0xff, 0xfe], [0xfe, 0xff], [0, 0, 0, 0x3c], [0x3c, 0, 0, 0], [0x4c, 0x6f, 0xa7, 0x94]] {
      let wide: [UInt8] = "<stream xmlns='x'><a/>".utf8.flatMap { [$0, 0] as [UInt8] }
      let events = StreamParser().feed(mark + wide)
      #expect(events.failure != nil)
      #expect(events.count == 1)
    }
  }

  @Test("The predefined entities and character references are read")
  func predefined() throws {
    #expect(try Element.parse("<a b='&lt;&#65;'>&lt;&gt;&amp;&apos;&quot;&#x1F600;</a>").text == "<>&'\"\u{1f600}")
  }

  @Test("A namespace that is no URI does not end the stream: a stranger could send one")
  func oddNamespace() {
    let events = openedParser().feed(
      "<message><x xmlns='no uri at all'/><y xmlns:p='%%%' p:z=''/></message><presence/>")
    #expect(events.failure == nil)
    #expect(events.stanzas.count == 2)
    #expect(events.stanzas.first?.children.first?.namespace == "no uri at all")
  }
}
