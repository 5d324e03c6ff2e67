// SPDX-License-Identifier: Apache-2.0

import Testing
import XML

@Suite("Elements out of texts")
struct ParsingTests {
  @Test("Several elements are read in order, with white space around them and in the namespace that is given")
  func several() throws {
    let elements = try Element.parseAll(" <body>hi</body>\n<x xmlns='u'/> ", namespace: "jabber:client")
    #expect(elements == [Element("body", "jabber:client", text: "hi"), Element("x", "u")])
    #expect(try Element.parseAll(" ").isEmpty)
  }

  @Test(
    "What is not whole elements and nothing else is refused",
    arguments: [
      "<a>", "</a>", "<a/></text>", "</text><text>", "<a/>b", "<a/><b", "<!-- --><a/>", "<?x?><a/>", "&amp;",
      "<a>&b;</a>", "<p:a/>",
    ])
  func refused(_ text: String) {
    #expect(throws: StreamParserError.self) { try Element.parseAll(text) }
    #expect(throws: StreamParserError.self) { try Element.parse(text) }
  }

  @Test("One element is not two")
  func one() {
    #expect(throws: StreamParserError.notOneElement) { try Element.parse("<a/><b/>") }
    #expect(throws: StreamParserError.notOneElement) { try Element.parse("") }
  }
}
