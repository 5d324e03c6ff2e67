// SPDX-License-Identifier: Apache-2.0

import Testing
import XMPP

@Suite("Addresses")
struct JIDTests {
  @Test(
    "Spellings of one address are folded into one",
    arguments: [
      ("juliet@shakespeare.lit", "juliet@shakespeare.lit"),
      ("Juliet@Shakespeare.LIT/Balcony", "juliet@shakespeare.lit/Balcony"),
      ("juliet@shakespeare.lit.", "juliet@shakespeare.lit"),
      ("\u{FF4A}uliet@shakespeare.lit", "juliet@shakespeare.lit"),
      ("fu\u{DF}ball@example.org", "fussball@example.org"),
      ("nurse@M\u{DC}NCHEN.example", "nurse@m\u{FC}nchen.example"),
      ("nurse@mu\u{308}nchen.example", "nurse@m\u{FC}nchen.example"),
      ("a\u{AD}b@example.org", "ab@example.org"),
      ("example.org/one/two@three", "example.org/one/two@three"),
      ("a@b/c d", "a@b/c d"),
      ("a@b/\u{2168}", "a@b/IX"),
      ("a@[::1]/x", "a@[::1]/x"),
      ("a@under_score", "a@under_score"),
      ("a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"),
      ("a@b\u{FF0E}c", "a@b.c"),
    ])
  func preparation(input: String, prepared: String) throws {
    let jid = try JID(input)
    #expect(Array(jid.description.utf8) == Array(prepared.utf8))
    #expect(jid == (try JID(prepared)))
    #expect(Set([jid, try JID(prepared)]).count == 1)
  }

  @Test(
    "What is no address is refused, naming the part that is wrong",
    arguments: [
      ("", JIDError.Part.domain), (".", .domain), ("@example.org", .localpart), ("juliet@", .domain),
      ("juliet@/x", .domain), ("/x", .domain), ("juliet@example.org/", .resource), ("a@b@c", .domain),
      ("a b@example.org", .localpart), ("a\"b@example.org", .localpart), ("a&b@example.org", .localpart),
      ("a'b@example.org", .localpart), ("a:b@example.org", .localpart), ("a<b@example.org", .localpart),
      ("a\u{FF20}b@example.org", .localpart), ("a\u{FF0F}b@example.org", .localpart),
      ("a@ex ample", .domain), ("a@ex\u{FF20}ample", .domain), ("a@ex\u{FF0F}ample", .domain),
      ("a@b..c", .domain), ("a@b\u{3002}c", .domain), ("a@b:1", .domain), ("a@[zz]", .domain), ("a@[", .domain),
      ("a@b\u{0}c", .domain), ("a\u{0}@b", .localpart), ("a@b/c\u{0}", .resource), ("a@b/c\u{7}", .resource),
      ("a\u{E000}@b", .localpart), ("a@b/\u{FFFD}", .resource), ("a@b\n", .domain), ("a@<b>", .domain),
      ("\u{AD}@b", .localpart), ("a@\u{AD}", .domain), ("a@\u{FF0E}", .domain),
      ("a@b\u{FF0E}", .domain), ("a@b..", .domain),
      ("\u{5D0}a@b", .localpart),
    ])
  func refusals(input: String, part: JIDError.Part) {
    #expect { try JID(input) } throws: { ($0 as? JIDError)?.part == part }
  }

  @Test("A part has at most 1,023 bytes, counted after the folding")
  func lengths() throws {
    let long = String(repeating: "a", count: 1023)
    #expect(try JID("\(long)@b/\(long)").localpart == long)
    #expect(throws: JIDError.self) { try JID("\(long)a@b") }
    #expect(throws: JIDError.self) { try JID("a@b/\(long)a") }
    #expect(throws: JIDError.self) { try JID(String(repeating: "\u{DF}", count: 512) + "@b") }
    let label = String(repeating: "a", count: 63)
    #expect(throws: Never.self) { try JID("a@\(label).org") }
    #expect(throws: JIDError.self) { try JID("a@\(label)a.org") }
    #expect(throws: JIDError.self) { try JID("a@b/" + String(repeating: "\u{E9}", count: 100_000)) }
  }

  @Test("An address comes apart into its parts and can be put together again")
  func parts() throws {
    let jid = try JID("r\u{E9}mi@caf\u{E9}.example/balc\u{F3}n/2")
    #expect(jid.localpart == "r\u{E9}mi")
    #expect(jid.domain == "caf\u{E9}.example")
    #expect(jid.resource == "balc\u{F3}n/2")
    #expect(jid.bare == (try BareJID("r\u{E9}mi@caf\u{E9}.example")))
    #expect(jid.full == (try jid.bare.with(resource: "balc\u{F3}n/2")))
    #expect(jid.bare.server == (try JID("caf\u{E9}.example")))
    #expect(jid.bare.server.bare.server == jid.bare.server)
    #expect(JID(jid.bare) == jid.bare)
    #expect(!(jid == jid.bare))
    let server = try JID("example.org/x")
    #expect(server.localpart == nil)
    #expect(server.domain == "example.org")
    #expect(server.full?.resource == "x")
    #expect(try JID("example.org").full == nil)
    #expect(try BareJID(localpart: "A", domain: "B.").description == "a@b")
  }

  @Test("A bare address has no resource and a full one has")
  func kinds() {
    #expect(throws: JIDError.self) { try BareJID("a@b/c") }
    #expect(throws: JIDError.self) { try FullJID("a@b") }
    #expect(throws: JIDError.self) { try BareJID("a@b").with(resource: "") }
    #expect(throws: JIDError.self) { try BareJID(localpart: "a@b", domain: "c") }
    #expect(throws: JIDError.self) { try BareJID(localpart: nil, domain: "a@c") }
  }
}
