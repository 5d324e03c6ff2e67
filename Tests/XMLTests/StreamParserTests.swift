// SPDX-License-Identifier: Apache-2.0

import Testing
import XML

@Suite("Reading a stream")
struct StreamParserTests {
  private static let conversation =
    streamHeader + """
      <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>
      <message from='juliet@im.example.com/bal&apos;cony' to='romeo@example.net' xml:lang='en'><body>Art thou not \
      R\u{f6}meo, &amp; a <![CDATA[<Montague>]]>?</body><x y='/>">--&amp;'>></x><x xmlns='u' p:k='v' xmlns:p='urn:p'>a<b/>c</x></message>
      <presence/><iq type='result' id='1'/></stream:stream>
      """

  @Test("The header, each stanza and the end are told in their order")
  func events() {
    let events = StreamParser().feed(Self.conversation)
    #expect(events.count == 6)
    guard case .opened(let opened)? = events.first else {
      Issue.record("no header")
      return
    }
    #expect(opened.matches("stream", "http://etherx.jabber.org/streams"))
    #expect(opened.attribute("from") == "im.example.com")
    #expect(opened.language == "de")
    #expect(opened.children.isEmpty)
    #expect(events.stanzas.map(\.name) == ["features", "message", "presence", "iq"])
    #expect(events.last == .closed)
  }

  @Test("A stanza is read with its namespaces, attributes, languages and text")
  func stanza() throws {
    let stanzas = StreamParser().feed(Self.conversation).stanzas
    let features = try #require(stanzas.first)
    #expect(features.namespace == "http://etherx.jabber.org/streams")
    #expect(features.child("starttls", "urn:ietf:params:xml:ns:xmpp-tls")?.child("required", features.namespace) == nil)
    #expect(features.children.first?.children.first?.namespace == "urn:ietf:params:xml:ns:xmpp-tls")
    let message = stanzas[1]
    #expect(message.attribute("from") == "juliet@im.example.com/bal'cony")
    #expect(message.attribute("lang") == nil)
    #expect(message.attribute("id") == nil)
    #expect(message.child("body", "jabber:client")?.text == "Art thou not R\u{f6}meo, & a <Montague>?")
    #expect(message.child("body", "jabber:client")?.language == "en")
    #expect(message.text == "")
    #expect(message.child("x", "jabber:client")?.attribute("y") == "/>\">--&")
    let extra = try #require(message.child("x", "u"))
    #expect(extra.attribute("k", "urn:p") == "v")
    #expect(extra.attribute("k") == nil)
    #expect(extra.text == "ac")
    #expect(stanzas[2].language == "de")
  }

  @Test("Whatever way the bytes are cut, the same is read", arguments: [1, 2, 3, 7, 64, 1000])
  func chunks(size: Int) {
    let bytes = Array(Self.conversation.utf8)
    let whole = StreamParser().feed(bytes)
    let parser = StreamParser()
    var events: [StreamParser.Event] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      events += parser.feed(Array(bytes[start..<min(start + size, bytes.count)]))
    }
    #expect(events == whole)
  }

  @Test("A stanza is told as soon as its last byte has come")
  func promptness() {
    let parser = StreamParser()
    #expect(parser.feed(streamHeader).count == 1)
    for text in [
      "<presence/>", "<iq><query xmlns='q'>x</query></iq>", "<message><body>é</body></message>",
      "<a b='>' c='&gt;>/>'>></a>", "<a b='&amp;&lt;' />",
    ] {
      #expect(parser.feed(String(text.dropLast())).isEmpty)
      #expect(parser.feed(">").stanzas.count == 1)
      #expect(parser.bytesAfterLastStanza == 0)
    }
    #expect(parser.feed("</stream:stream>") == [.closed])
  }

  @Test("Bytes behind a stanza are counted, whether they are a stanza, half of one, or white space")
  func bytesBehind() {
    for behind in ["<pres", "\n", " "] {
      let parser = openedParser()
      let events = parser.feed("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + behind)
      #expect(events.stanzas.count == 1)
      #expect(parser.bytesAfterLastStanza == behind.utf8.count)
    }
    let parser = openedParser()
    #expect(parser.bytesAfterLastStanza == 0)
    #expect(parser.feed("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><presence/>").stanzas.count == 2)
  }

  @Test("After the end and after a failure there is nothing more to read")
  func afterTheEnd() {
    let parser = openedParser()
    #expect(parser.feed("</stream:stream><presence/><!-- -->") == [.closed])
    #expect(parser.feed("<presence/>").isEmpty)
    let broken = openedParser()
    let events = broken.feed("<presence/><message></presence><iq/>")
    #expect(events.count == 2)
    #expect(events.stanzas.map(\.name) == ["presence"])
    #expect(events.failure?.condition == "not-well-formed")
    #expect(broken.feed("<presence/>").isEmpty)
  }

  @Test("White space between stanzas is ignored for ever, other text is a failure")
  func betweenStanzas() {
    let parser = openedParser(limits: limits { $0.stanzaBytes = 4096 })
    let spaces = String(repeating: " \n", count: 700)
    for _ in 0..<10 { #expect(parser.feed(spaces).isEmpty) }
    #expect(parser.feed("<presence/>").stanzas.count == 1)
    #expect(openedParser().feed("hello<presence/>").failure == .textBetweenStanzas)
  }

  @Test("Two parsers do not know of each other")
  func independent() {
    let (first, second) = (openedParser(), openedParser())
    #expect(first.feed("<message id='1'>").isEmpty)
    #expect(second.feed("<presence/>").stanzas.count == 1)
    #expect(first.feed("</message>").stanzas.first?.attribute("id") == "1")
  }
}

func limits(_ change: (inout Limits) -> Void) -> Limits {
  var limits = Limits()
  change(&limits)
  return limits
}
