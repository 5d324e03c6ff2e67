// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import XML

@Suite("Namespaces of content")
struct NamespaceTests {
  @Test("The header tells the namespace of what has no prefix, also after names were forgotten")
  func content() {
    func namespace(_ header: String) -> String {
      let parser = StreamParser()
      #expect(parser.contentNamespace == "")
      #expect(parser.feed(Array(header.utf8)).count == 1)
      return parser.contentNamespace
    }
    #expect(namespace("<s:s xmlns='jabber:client' xmlns:s='a'>") == "jabber:client")
    #expect(namespace("<s:s xmlns:s='a' xmlns='jabber:component:accept'>") == "jabber:component:accept")
    #expect(namespace("<s xmlns='a'>") == "a")
    #expect(namespace("<s:s xmlns:s='a'>") == "")
    var limits = Limits()
    limits.nameBytes = 0
    let parser = StreamParser(limits: limits)
    _ = parser.feed(Array("<s:s xmlns='jabber:client' xmlns:s='a'><x/><y/><z/>".utf8))
    #expect(parser.renewals > 0)
    #expect(parser.contentNamespace == "jabber:client")
  }

  @Test("An element moves to another namespace with all that is inside and in the same one, and nothing else does")
  func moving() throws {
    let element = try Element.parse(
      "<message xmlns='old' to='old'><body>old</body><x xmlns='other'><body xmlns='old'/></x></message>")
    let moved = element.moving(from: "old", to: "new")
    #expect(
      moved
        == (try Element.parse(
          "<message xmlns='new' to='old'><body>old</body><x xmlns='other'><body xmlns='new'/></x></message>")))
    #expect(moved.moving(from: "new", to: "old") == element)
    #expect(element.moving(from: "absent", to: "new") == element)
    #expect(element.children[1].moving(from: "other", to: "old").serialized() == "<x xmlns='old'><body/></x>")
  }
}
