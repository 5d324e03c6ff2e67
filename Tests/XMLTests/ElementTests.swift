// SPDX-License-Identifier: Apache-2.0

import Testing
import XML

@Suite("Elements")
struct ElementTests {
  private let body = Element("body", "jabber:client", text: "hi")

  @Test("What is built can be read, in order")
  func building() {
    let message = Element(
      "message", "jabber:client", ["to": "a@b", "id": nil, "type": "chat", "xml:lang": "en"],
      children: [body, Element("active", "urn:chatstates"), body], text: "t")
    #expect(message.name == "message")
    #expect(message.namespace == "jabber:client")
    #expect(message.attribute("to") == "a@b")
    #expect(message.attribute("id") == nil)
    #expect(message.language == "en")
    #expect(message.children.map(\.name) == ["body", "active", "body"])
    #expect(message.children == [body, Element("active", "urn:chatstates"), body])
    #expect(message.child("active", "jabber:client") == nil)
    #expect(message.child("active", "urn:chatstates")?.children == [])
    #expect(message.text == "t")
    #expect(message.child("body", "jabber:client")?.language == "en")
    #expect(body.language == nil)
  }

  @Test("An element inside another is the same element when it is put into a third")
  func embedding() throws {
    let parsed = try Element.parse("<a xmlns='u'><b c='d' xml:lang='fr'>x<e xmlns='v'/>y</b><f/></a>")
    let inner = try #require(parsed.child("b", "u"))
    let outer = Element("o", "w", children: [inner, inner])
    #expect(outer.children == [inner, inner])
    #expect(outer.children.last?.text == "xy")
    #expect(outer.children.last?.child("e", "v") != nil)
    #expect(outer.children.last?.language == "fr")
    #expect(try Element.parse(outer.serialized()) == outer)
  }

  @Test("Elements are equal, and hash alike, when their content is the same")
  func equality() throws {
    let left = try Element.parse("<a x='1' y='2'><b/>t</a>")
    for same in ["<a y='2' x='1'><b></b>t</a>", "<a x=\"1\" y='&#50;' ><b/><![CDATA[t]]></a>"] {
      let right = try Element.parse(same)
      #expect(left == right)
      #expect(left.hashValue == right.hashValue)
    }
    for other in [
      "<a x='1' y='2'><b/>u</a>", "<a x='1' y='3'><b/>t</a>", "<a x='1'><b/>t</a>", "<a x='1' z='2'><b/>t</a>",
      "<a x='1' y='2'>t<b/></a>", "<a x='1' y='2'><b>t</b></a>", "<a x='1' y='2'><c/>t</a>",
      "<a xmlns='n' x='1' y='2'><b/>t</a>", "<a x='1' y='2'/>", "<a x='1' y='2'><b/>t<b/></a>",
    ] {
      #expect(left != (try Element.parse(other)), "\(other)")
    }
    let wrapped = Element("w", "", children: [Element("skip", ""), left])
    #expect(wrapped.children.last == left)
    #expect(Set([left] + wrapped.children).count == 2)
  }

  @Test("A language is inherited from the nearest element around that has one")
  func language() throws {
    let a = try Element.parse("<a xml:lang='x'><b><c/><d xml:lang='y'><e/></d></b><f xml:lang='z'/><g/></a>")
    func find(_ name: String, in element: Element) -> Element? {
      element.name == name ? element : element.children.lazy.compactMap { find(name, in: $0) }.first
    }
    let languages = ["a", "b", "c", "d", "e", "f", "g"].map { find($0, in: a)?.language }
    #expect(languages == ["x", "x", "x", "y", "y", "z", "x"])
  }

  @Test("An element is written with a namespace only where it changes")
  func namespaces() {
    let iq = Element(
      "iq", "jabber:client", ["id": "1"],
      children: [Element("q", "u", children: [Element("r", "u"), Element("s", "", children: [Element("t", "v")])])])
    #expect(
      iq.serialized(within: "jabber:client") == "<iq id='1'><q xmlns='u'><r/><s xmlns=''><t xmlns='v'/></s></q></iq>")
    #expect(iq.serialized().hasPrefix("<iq xmlns='jabber:client' id='1'>"))
    #expect(
      String(decoding: iq.bytes(within: "jabber:client"), as: UTF8.self) == iq.serialized(within: "jabber:client"))
  }

  @Test("Whatever text says, it stays text")
  func escaping() throws {
    let evil = "</body><presence type='unavailable'/>&amp;]]>\"'\t\r\n <!-- é\u{1f600}"
    let message = Element(
      "m", "u", ["a": evil, "xml:lang": evil], children: [Element("b", "u", text: evil)], text: evil)
    let read = try Element.parse(message.serialized())
    #expect(read == message)
    #expect(read.attribute("a") == evil)
    #expect(read.text == evil)
    #expect(XMLText.escaped("<'\">&") == "&lt;&apos;&quot;&gt;&amp;")
  }

  @Test("Characters that XML cannot carry are replaced, never sent")
  func forbiddenCharacters() throws {
    let element = Element("a", "", ["b": "1\u{0}2\u{1b}3"], text: "\u{fffe}x\u{ffff}\u{8}\u{fffd}\u{10ffff}")
    let read = try Element.parse(element.serialized())
    #expect(read.attribute("b") == "1\u{fffd}2\u{fffd}3")
    #expect(read.text == "\u{fffd}x\u{fffd}\u{fffd}\u{fffd}\u{10ffff}")
  }

  @Test("A name that is none becomes one")
  func names() throws {
    let element = Element("a><b", "u", ["x='1' y": "2", "": "3"])
    #expect(element.name == "a__b")
    #expect(element.attribute("x__1__y") == "2")
    #expect(try Element.parse(element.serialized()) == element)
    #expect(Element("1", "").name == "_")
    #expect(Element("é-1.x", "").name == "é-1.x")
  }

  @Test("Attributes of other namespaces survive")
  func prefixedAttributes() throws {
    let element = try Element.parse("<a xmlns:p='urn:p' xmlns:q='urn:&apos;q' p:x='1' q:x='2' x='3' xml:lang='en'/>")
    let read = try Element.parse(element.serialized())
    #expect(read == element)
    #expect(read.attribute("x", "urn:'q") == "2")
  }

  @Test("A fragment is one element and nothing else")
  func fragments() throws {
    #expect(try Element.parse(" \n<a/>\n ").name == "a")
    #expect(try Element.parse("<a><b xmlns='v'/></a>", namespace: "u'").namespace == "u'")
    for text in [
      "", " ", "x", "<a/>x", "<a/><b/>", "<a>", "</text>", "<a/></text>", "</text><text><a/>", "<a/></text><text>",
      "<?xml version='1.0'?><a/>", "<a/><",
    ] {
      #expect(throws: StreamParserError.self, "\(text)") { try Element.parse(text) }
    }
  }
}
