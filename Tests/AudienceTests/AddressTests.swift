// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Addresses of others")
struct AddressTests {
  // Letters that stringprep does not know, and which servers so leave as they are: the first ones join what stands behind
  // them, the two last ones Swift takes for the same text.
  private static let joining = ["\u{600}", "\u{605}", "\u{110BD}"]
  private let composed = "x\u{1112E}"
  private let decomposed = "x\u{11131}\u{11127}"

  @Test("The domain is what stands behind the @, whatever stands before it", arguments: joining + ["é", "🎭"])
  func domain(_ letter: String) {
    #expect(BareAddress("paris\(letter)@evil.example").domain == "evil.example")
    #expect(BareAddress("evil.example").domain == "evil.example")
  }

  @Test("A no to a domain holds for all names at it", arguments: joining)
  func refused(_ letter: String) throws {
    var world = World(.allow)
    try world.setRule("@evil.example", .deny)
    #expect(world.receive("paris\(letter)@evil.example/x").shown.isEmpty)
    var gateway = GatewayWorld(.allow, rules: ["@evil.example": .deny])
    #expect(gateway.receive("paris\(letter)@evil.example/x").sent.isEmpty)
    #expect(gateway.subscribe(BareAddress("paris\(letter)@evil.example")).isEmpty)
  }

  @Test("Two whom their servers hold for two people are two")
  func spellings() throws {
    #expect(composed == decomposed)
    #expect(BareAddress("\(composed)@a.example") != BareAddress("\(decomposed)@a.example"))
    #expect(jid("room@a.example/\(composed)") != jid("room@a.example/\(decomposed)"))
    var world = GatewayWorld(.rules, rules: ["\(composed)@a.example": .allow])
    #expect(world.receive("\(decomposed)@a.example/x").sent.isEmpty)
    #expect(world.receive("\(composed)@a.example/x").sent.count == 1)
    #expect(!world.shows(to: "\(decomposed)@a.example/x"))
  }
}
