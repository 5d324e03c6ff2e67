// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import XML

@Suite("Limits of what a peer may send")
struct LimitsTests {
  private func nested(_ depth: Int) -> String {
    String(repeating: "<d>", count: depth) + String(repeating: "</d>", count: depth)
  }

  @Test("Elements nest 64 deep; what is deeper is left out, and the stream goes on")
  func depth() {
    #expect(openedParser().feed(nested(64)).stanzas.count == 1)
    let events = openedParser().feed(nested(65) + "<next/>")
    #expect(events.stanzas == openedParser().feed(nested(64) + "<next/>").stanzas)
    #expect(openedParser().feed(nested(30_000) + "<next/>").stanzas.count == 2)
  }

  @Test("A stanza has 64 attributes and declarations, and no more; inside it such an element is left out")
  func attributes() {
    func element(_ count: Int) -> String {
      "<a xmlns:p='u'" + (1..<count).map { " a\($0)=''" }.joined() + "/>"
    }
    #expect(openedParser().feed(element(64)).stanzas.count == 1)
    #expect(openedParser().feed(element(65)).failure == .tooManyAttributes(limit: 64))
    let declarations = "<a" + (0..<65).map { " xmlns:p\($0)='u'" }.joined() + "/>"
    #expect(openedParser().feed(declarations).failure == .tooManyAttributes(limit: 64))
    let inside = openedParser().feed("<m>" + element(65) + "x<b/></m><next/>")
    #expect(inside.stanzas == openedParser().feed("<m>x<b/></m><next/>").stanzas)
  }

  @Test("A stanza of the limit's size passes, one byte more fails, however it is cut", arguments: [1, 4096, 1 << 20])
  func size(chunk: Int) {
    func outcome(_ count: Int) -> [StreamParser.Event] {
      let parser = openedParser(limits: limits { $0.stanzaBytes = 20_000 })
      let text = Array(("<a>" + String(repeating: "x", count: count - 7) + "</a>").utf8)
      var events: [StreamParser.Event] = []
      for start in stride(from: 0, to: text.count, by: chunk) {
        events += parser.feed(Array(text[start..<min(start + chunk, text.count)]))
      }
      return events
    }
    #expect(outcome(20_000).stanzas.count == 1)
    #expect(outcome(20_001).failure == .stanzaTooLarge(limit: 20_000))
    #expect(outcome(20_001).stanzas.isEmpty)
  }

  @Test("Something without an end is stopped at the limit", arguments: ["<a b='", "<a>", "<", "<a ", "<a>&"])
  func endless(start: String) {
    let parser = openedParser()
    var fed = 0
    var events = parser.feed(start)
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1024)
    while events.isEmpty, fed < 1 << 20 {
      events = parser.feed(piece)
      fed += piece.count
    }
    #expect(events.failure != nil)
    #expect(fed <= 256 * 1024 + 2048)
  }

  @Test("What is written of a stanza is not many times what was read, however many names one declaration serves")
  func repeatedNamespaces() throws {
    let long = String(repeating: "n", count: 20_000)
    for inside in ["<p:a/>", "<a p:b=''/>", "<p:a><a/></p:a>"] {
      let text = "<m xmlns:p='\(long)'>" + String(repeating: inside, count: 5_000) + "</m>"
      let events = openedParser().feed(text + "<next/>")
      #expect(events.stanzas.count == 2)
      let written = try #require(events.stanzas.first).bytes(within: "jabber:client").count
      #expect(written <= 2 * text.utf8.count + Limits().namespaceBytes)
    }
  }

  @Test("Namespaces that are declared where they are used, or are short, are no cause to leave anything out")
  func honestNamespaces() {
    for item in ["<c xmlns='urn:xmpp:mix:roster:0'/>", "<p:c xmlns:p='urn:p'/>", "<a xml:lang='de'/>"] {
      let text = "<m>" + String(repeating: item, count: 5_000) + "</m>"
      #expect(openedParser().feed(text).stanzas.first?.children.count == 5_000)
    }
    let short = "<m xmlns:p='urn:xmpp:p'>" + String(repeating: "<p:a/>", count: 2_000) + "</m>"
    #expect(openedParser().feed(short).stanzas.first?.children.count == 2_000)
  }

  @Test("Many stanzas in a row are no large stanza")
  func manyStanzas() {
    let parser = openedParser(limits: limits { $0.stanzaBytes = 1000 })
    let text = String(repeating: "<message><body>hello</body></message>", count: 1000)
    #expect(parser.feed(text).stanzas.count == 1000)
  }

  @Test("The header is limited too")
  func header() {
    let parser = StreamParser()
    #expect(parser.feed("<stream xmlns='" + String(repeating: "x", count: 300_000)).failure != nil)
  }

  @Test("Names that a peer invents are forgotten; the stream goes on with its namespaces and language")
  func hostileNames() throws {
    let parser = openedParser(limits: limits { $0.nameBytes = 32 * 1024 })
    var last: Element?
    for index in 0..<20_000 {
      let events = parser.feed("<message><x\(index) y\(index)='' xmlns='urn:\(index)'/><stream:z/></message>")
      #expect(events.count == 1)
      last = events.stanzas.first
    }
    #expect(parser.renewals > 20)
    let message = try #require(last)
    #expect(message.namespace == "jabber:client")
    #expect(message.language == "de")
    #expect(message.child("x19999", "urn:19999") != nil)
    #expect(message.child("z", "http://etherx.jabber.org/streams") != nil)
    #expect(parser.feed("</stream:stream>") == [.closed])
  }

  @Test("Forgetting names changes nothing of what is read, however the bytes are cut", arguments: [1, 7, 100, 5000])
  func renewal(chunk: Int) {
    let text = Array(
      (streamHeader
        + (0..<300).map { "<m><n\($0) a\($0)='é&amp;'>t\($0)</n\($0)></m>\n" }.joined() + "</stream:stream>").utf8)
    let whole = StreamParser().feed(text)
    #expect(whole.count == 302)
    let parser = StreamParser(limits: limits { $0.nameBytes = 8 * 1024 })
    var events: [StreamParser.Event] = []
    for start in stride(from: 0, to: text.count, by: chunk) {
      events += parser.feed(Array(text[start..<min(start + chunk, text.count)]))
    }
    #expect(events == whole)
    #expect(parser.renewals > 3)
  }

  @Test("What names cost stays within the limit and one stanza")
  func memory() {
    let parser = openedParser(limits: limits { $0.nameBytes = 64 * 1024 })
    var most = 0
    for start in stride(from: 0, to: 20_000, by: 100) {
      let text = (start..<start + 100).map { "<message><x\($0)/></message>" }.joined()
      #expect(parser.feed(text).count == 100)
      most = max(most, parser.nameBytes)
    }
    #expect((32 * 1024...65 * 1024).contains(most))
  }
}
