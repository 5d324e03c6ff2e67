// SPDX-License-Identifier: Apache-2.0

import Testing
import XML
import XMPP

@testable import Account

@Suite("Who handles what")
struct StanzaHandlersTests {
  private func message(_ payload: String, type: Message.Kind = .chat, id: String? = nil) throws -> Message {
    Message(to: nil, type: type, id: id, payload: try Element.parseAll(payload, namespace: "jabber:client"))
  }

  private func code(_ body: () throws -> Void) -> AccountError.Code? {
    do { try body() } catch { return (error as? AccountError)?.code }
    return nil
  }

  @Test("A namespace has one handler, and to add it again changes nothing")
  func one() throws {
    var handlers = StanzaHandlers()
    try handlers.add(["urn:a", "urn:b"], takesMessages: false, for: "1")
    try handlers.add(["urn:a"], takesMessages: false, for: "1")
    #expect(code { try handlers.add(["urn:c", "urn:a"], takesMessages: false, for: "2") } == .alreadyExists)
    #expect(handlers.features == ["urn:a", "urn:b"])
    #expect(handlers.handler(of: "urn:a") == "1")
    #expect(handlers.handler(of: "urn:c") == nil)
    handlers.remove(["urn:a"], for: "2")
    #expect(handlers.handler(of: "urn:a") == "1")
    handlers.remove(["urn:a"], for: "1")
    #expect(handlers.features == ["urn:b"])
    handlers.remove([], for: "1")
    #expect(handlers.features.isEmpty)
  }

  @Test(
    "What the daemon speaks itself, and what is no namespace, is refused",
    arguments: [
      "jabber:iq:privacy", "jabber:iq:roster", "urn:xmpp:blocking", "urn:xmpp:invisible:0", "urn:xmpp:invisible:1",
      "http://jabber.org/protocol/disco#info", "urn:xmpp:ping", "urn:xmpp:decloak:0", "urn:xmpp:temppres:0", "",
      "a\nb", String(repeating: "n", count: 257),
    ])
  func reserved(_ namespace: String) {
    var handlers = StanzaHandlers()
    #expect(code { try handlers.add(["urn:a", namespace], takesMessages: false, for: "1") } == .invalidArgument)
    #expect(handlers.features.isEmpty)
  }

  @Test("Programs and namespaces have limits")
  func limits() throws {
    var handlers = StanzaHandlers()
    for client in 1...StanzaHandlers.mostClients {
      try handlers.add(["urn:\(client)"], takesMessages: false, for: "\(client)")
    }
    #expect(code { try handlers.add(["urn:x"], takesMessages: false, for: "x") } == .limitExceeded)
    let many = (1...StanzaHandlers.mostNamespaces).map { "urn:many:\($0)" }
    #expect(code { try handlers.add(many, takesMessages: false, for: "1") } == .limitExceeded)
    handlers.removeClient("2")
    try handlers.add(["urn:x"], takesMessages: false, for: "x")
  }

  @Test("A message goes to those of its namespaces, and what fits nobody to who takes messages")
  func messages() throws {
    var handlers = StanzaHandlers()
    try handlers.add(["urn:iq"], takesMessages: false, for: "quiet")
    #expect(!handlers.takesMessages)
    #expect(handlers.recipients(of: try message("<body>hi</body>")).isEmpty)
    try handlers.add(["urn:xmpp:jingle-message:0"], takesMessages: false, for: "phone")
    #expect(handlers.takesMessages)
    #expect(handlers.recipients(of: try message("<body>hi</body>")) == ["phone"])
    #expect(handlers.recipients(of: try message("<x xmlns='urn:iq'/>")) == ["quiet"])
    try handlers.add([StanzaPayload.namespace], takesMessages: false, for: "chat")
    #expect(handlers.recipients(of: try message("<body>hi</body>")) == ["chat"])
    #expect(
      handlers.recipients(of: try message("<propose xmlns='urn:xmpp:jingle-message:0'/><body/>")) == ["chat", "phone"])
    #expect(handlers.recipients(of: try message("<other xmlns='urn:o'/>")) == ["chat", "phone"])
    #expect(!handlers.features.contains(StanzaPayload.namespace))
    try handlers.add([], takesMessages: true, for: "log")
    handlers.remove(["urn:xmpp:jingle-message:0"], for: "phone")
    handlers.removeClient("chat")
    #expect(handlers.recipients(of: try message("<body>hi</body>")) == ["log"])
  }

  @Test("A message that comes back goes to who sent it")
  func bounces() throws {
    var handlers = StanzaHandlers()
    try handlers.add([StanzaPayload.namespace], takesMessages: false, for: "chat")
    handlers.noteSent("m1", by: "phone")
    #expect(handlers.recipients(of: try message("<x xmlns='urn:o'/>", type: .error, id: "m1")) == ["phone"])
    for index in 1...StanzaHandlers.mostSent { handlers.noteSent("n\(index)", by: "chat") }
    #expect(handlers.recipients(of: try message("<x xmlns='urn:o'/>", type: .error, id: "m1")) == ["chat"])
  }
}

@Suite("Payloads from the bus")
struct StanzaPayloadTests {
  private func code(_ body: () throws -> Void) -> AccountError.Code? {
    do { try body() } catch { return (error as? AccountError)?.code }
    return nil
  }

  @Test(
    "What is not one element with a namespace is no payload of an IQ",
    arguments: ["", "text", "<a/>", "<a xmlns=''/>", "<a xmlns='u'/><b xmlns='u'/>", "<a xmlns='u'>", "</iq><iq>"])
  func iq(_ text: String) {
    #expect(code { _ = try StanzaPayload.ofIQ(text) } == .invalidArgument)
  }

  @Test(
    "Nor is anything but whole elements a message",
    arguments: [
      "", "hello", "<body>", "</message><message/>", "<error/>", "<!--c--><body/>", "<!DOCTYPE a><a/>", "<?p?>",
      "<body>&secret;</body>",
    ])
  func message(_ text: String) {
    #expect(code { _ = try StanzaPayload.ofMessage(text) } == .invalidArgument)
  }

  @Test("Bytes, elements, depth and attributes have limits, and what breaks one is refused and not left out")
  func limits() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "<d>", count: depth) + String(repeating: "</d>", count: depth)
    }
    func wide(_ count: Int) -> String { "<m><a" + (0..<count).map { " a\($0)=''" }.joined() + "/></m>" }
    #expect(try StanzaPayload.ofMessage(nested(StanzaPayload.depth)).count == 1)
    #expect(code { _ = try StanzaPayload.ofMessage(nested(StanzaPayload.depth + 1)) } == .limitExceeded)
    #expect(code { _ = try StanzaPayload.ofMessage(nested(5_000)) } == .limitExceeded)
    #expect(try StanzaPayload.ofMessage(wide(StanzaPayload.mostAttributes)).count == 1)
    #expect(code { _ = try StanzaPayload.ofMessage(wide(StanzaPayload.mostAttributes + 1)) } == .limitExceeded)
    let elements = String(repeating: "<a/>", count: StanzaPayload.mostElements)
    #expect(try StanzaPayload.ofMessage(elements).count == StanzaPayload.mostElements)
    #expect(code { _ = try StanzaPayload.ofMessage(elements + "<a/>") } == .limitExceeded)
    let body = String(repeating: "x", count: StanzaPayload.mostBytes - "<b></b>".utf8.count)
    #expect(try StanzaPayload.ofMessage("<b>\(body)</b>").count == 1)
    #expect(code { _ = try StanzaPayload.ofMessage("<b>\(body)x</b>") } == .limitExceeded)
  }

  @Test("What would be much longer on the wire than it is here is refused: the server would end the stream over it")
  func writtenLimit() throws {
    let long = String(repeating: "n", count: 10_000)
    let names = "<m xmlns:p='\(long)'>" + String(repeating: "<p:a/>", count: 5_000) + "</m>"
    let attributes = "<m xmlns:p='\(long)'>" + String(repeating: "<a p:b=''/>", count: 3_000) + "</m>"
    let quotes = "<m a=\"" + String(repeating: "'", count: 60_000) + "\"/>"
    for text in [names, attributes, quotes] {
      #expect(text.utf8.count <= StanzaPayload.mostBytes)
      #expect(code { _ = try StanzaPayload.ofMessage(text) } == .limitExceeded)
    }
    let modest = "<m xmlns:p='urn:p'>" + String(repeating: "<p:a/>", count: 5_000) + "</m>"
    #expect(try StanzaPayload.ofMessage(modest).first?.children.count == 5_000)
  }

  @Test("An error keeps its condition, also an application's own; none is that we do not know what was asked")
  func errors() throws {
    let error = try StanzaPayload.ofError(
      """
      <error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
      <unknown-session xmlns='urn:xmpp:jingle:errors:1'/></error>
      """)
    #expect(error.condition == .itemNotFound)
    #expect(error.application?.name == "unknown-session")
    #expect(try StanzaPayload.ofError("").condition == .serviceUnavailable)
    #expect(code { _ = try StanzaPayload.ofError("<a xmlns='u'/>") } == .invalidArgument)
  }
}
