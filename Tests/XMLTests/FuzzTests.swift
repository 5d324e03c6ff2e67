// SPDX-License-Identifier: Apache-2.0

import Testing
import XML

@Suite("Garbage")
struct FuzzTests {
  private static let seeds = [
    "<message from='a@b/c' type='chat'><body>hello &amp; bye</body><x xmlns='u:v'/></message>",
    "<presence a='>' b='&amp;/>'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' ver='x='/></presence>",
    "<iq id='1' xml:lang='en'><query xmlns='jabber:iq:roster'><item jid='é@ü'><group>g</group></item></query></iq>",
    "<a><![CDATA[x]]><p:b xmlns:p='u' p:c='d'>t<e/>u</p:b></a> \n</stream:stream>",
  ]
  private static let spice: [[UInt8]] =
    ["<", ">", "/>", "&", "'", "\"", "]]>", "<!", "<?", ":", "=", "&#", ";", "\0"]
    .map { Array($0.utf8) } + [[0xff], [0xc3], [0x80], [0xed, 0xa0, 0x80]]

  @Test(
    "Streams with bytes changed, lost, doubled and added never do harm, and are read alike in one piece and in many")
  func mutations() throws {
    var random = SeededGenerator(seed: 20_260_101)
    for _ in 0..<3000 {
      var bytes = Array((streamHeader + (Self.seeds.randomElement(using: &random) ?? "") + Self.seeds[0]).utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: Self.spice.randomElement(using: &random) ?? [], at: place)
        default: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
        }
      }
      let whole = StreamParser().feed(bytes)
      let parser = StreamParser()
      var pieces: [StreamParser.Event] = []
      var position = 0
      while position < bytes.count {
        let end = min(position + Int.random(in: 1...40, using: &random), bytes.count)
        pieces += parser.feed(Array(bytes[position..<end]))
        position = end
      }
      #expect(pieces.stanzas == whole.stanzas, "\(String(decoding: bytes, as: UTF8.self))")
      #expect((pieces.failure == nil) == (whole.failure == nil), "\(String(decoding: bytes, as: UTF8.self))")
      for stanza in whole.stanzas {
        #expect(try Element.parse(stanza.serialized()) == stanza)
      }
    }
  }

  @Test("Random bytes never do harm")
  func noise() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<2000 {
      let parser = Bool.random(using: &random) ? StreamParser() : openedParser()
      let count = Int.random(in: 1...200, using: &random)
      _ = parser.feed((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
      _ = parser.feed("<a/>")
    }
  }
}
