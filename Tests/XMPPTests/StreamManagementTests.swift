// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XML

@testable import XMPP

@Suite("Counting stanzas")
struct StreamManagementTests {
  static let start = MonotonicTime(nanoseconds: 0)

  static func message(_ number: Int) -> SentStanza {
    SentStanza(
      Element("message", "jabber:client", ["to": "a@b", "id": String(number)]), isMeant: number.isMultiple(of: 2))
  }

  static func enabled(_ attributes: String = "id='some-id' resume='true'") throws -> StreamManagement {
    var management = StreamManagement()
    management.enabled(try Element.parse("<enabled xmlns='urn:xmpp:sm:3' \(attributes)/>"))
    return management
  }

  static func resumption(handled: UInt32 = 0, acknowledged: UInt32 = 0, sent: Int = 0) throws -> Resumption {
    Resumption(
      jid: try FullJID("user@shakespeare.lit/x"), id: "some-id", location: nil, expiresAt: start, handled: handled,
      acknowledged: acknowledged, unacknowledged: (0..<sent).map(message))
  }

  private func ids(_ management: StreamManagement) throws -> [String] {
    let resumption = management.resumption(of: try FullJID("user@shakespeare.lit/x"), at: Self.start)
    return resumption?.unacknowledged.compactMap { $0.element.attribute("id") } ?? []
  }

  @Test("What was sent is kept, in order and with its note, until the server had it")
  func keeping() throws {
    var management = try Self.enabled()
    for number in 0..<5 { management.sent(Self.message(number), bytes: 10, at: Self.start) }
    #expect(management.acknowledged(2) == true)
    #expect(try ids(management) == ["2", "3", "4"])
    #expect(management.acknowledged(2) == true)
    management.sent(Self.message(5), bytes: 10, at: Self.start)
    #expect(management.acknowledged(5) == true)
    let resumption = management.resumption(of: try FullJID("user@shakespeare.lit/x"), at: Self.start)
    #expect(resumption?.unacknowledged == [Self.message(5)])
    #expect(resumption?.acknowledged == 5)
    #expect(management.acknowledged(6) == true)
    #expect(try ids(management).isEmpty)
  }

  @Test("A count that cannot be is refused", arguments: [6, 7, 2, UInt32.max, 1 << 31])
  func impossible(count: UInt32) throws {
    var management = try Self.enabled()
    for number in 0..<5 { management.sent(Self.message(number), bytes: 10, at: Self.start) }
    #expect(management.acknowledged(3) == true)
    #expect(management.acknowledged(count) == false)
    #expect(try ids(management) == ["3", "4"])
  }

  @Test("Both counts go on at zero after 2³² - 1")
  func wrapping() throws {
    var management = StreamManagement(
      try Self.resumption(handled: .max - 1), acknowledged: .max - 1)
    for number in 0..<4 {
      management.received()
      management.sent(Self.message(number), bytes: 10, at: Self.start)
    }
    #expect(management.handled == 2)
    #expect(management.sent == 2)
    #expect(management.acknowledged(3) == false)
    #expect(management.acknowledged(0) == true)
    #expect(try ids(management) == ["2", "3"])
    #expect(management.acknowledged(2) == true)
    #expect(management.answer.attribute("h") == "2")
    let resumption = try Self.resumption(acknowledged: .max, sent: 3)
    #expect(resumption.unacknowledged(after: .max)?.count == 3)
    #expect(resumption.unacknowledged(after: 1)?.count == 1)
    #expect(resumption.unacknowledged(after: 3) == nil)
    #expect(resumption.unacknowledged(after: .max - 1) == nil)
  }

  @Test("Ours are counted from the request on, the server's from its consent on")
  func starting() throws {
    var management = StreamManagement()
    management.received()
    management.sent(Self.message(0), bytes: 10, at: Self.start)
    #expect(management.resumption(of: try FullJID("a@b/c"), at: Self.start) == nil)
    management.enabled(try Element.parse("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='1'/>"))
    management.received()
    #expect(management.handled == 1)
    #expect(management.sent == 1)
  }

  @Test(
    "A session is gone on with only where the server says so, and gives it a usable name",
    arguments: [
      ("", false), ("id='x'", false), ("id='x' resume='false'", false), ("id='x' resume='0'", false),
      ("resume='true'", false), ("id='' resume='true'", false), ("id='x' resume='true'", true),
      ("id='x' resume='1'", true), ("id='\(String(repeating: "x", count: 4096))' resume='1'", true),
      ("id='\(String(repeating: "x", count: 4097))' resume='1'", false),
    ])
  func keys(attributes: String, isKept: Bool) throws {
    let management = try Self.enabled(attributes)
    #expect(management.isEnabled)
    #expect((management.key != nil) == isKept)
  }

  @Test("How long and where the server keeps a session, it says itself")
  func grants() throws {
    let jid = try FullJID("user@shakespeare.lit/x")
    let now = MonotonicTime(nanoseconds: 5_000_000_000)
    let said = try Self.enabled("id='x' resume='1' max='30' location='a.example:5'").resumption(of: jid, at: now)
    #expect(said?.location == "a.example:5")
    #expect(said?.expiresAt == now + .seconds(30))
    #expect(said?.id == "x")
    for max in ["", "max='-1'", "max='99999999999'", "max='x'"] {
      let unsaid = try Self.enabled("id='x' resume='1' \(max)").resumption(of: jid, at: now)
      #expect(unsaid?.expiresAt == now + .seconds(600))
    }
    // A session that was gone on with is kept for as long again.
    let again = StreamManagement(try #require(said), acknowledged: 0).resumption(of: jid, at: now + .seconds(7))
    #expect(again?.expiresAt == now + .seconds(37))
    #expect(again?.location == "a.example:5")
  }

  @Test("The server is asked after ten stanzas, or after a second of silence, and one question at a time")
  func asking() throws {
    var management = try Self.enabled()
    #expect(management.nextQuestion == nil)
    management.sent(Self.message(0), bytes: 10, at: Self.start)
    #expect(management.nextQuestion == Self.start + .seconds(1))
    let later = Self.start + .milliseconds(900)
    management.sent(Self.message(1), bytes: 10, at: later)
    #expect(management.nextQuestion == later + .seconds(1))
    for number in 2..<10 { management.sent(Self.message(number), bytes: 10, at: later) }
    #expect(management.nextQuestion == later)
    management.asked()
    for number in 10..<30 { management.sent(Self.message(number), bytes: 10, at: later) }
    #expect(management.nextQuestion == nil)
    #expect(management.acknowledged(10) == true)
    #expect(management.nextQuestion == later)
    management.asked()
    #expect(management.acknowledged(30) == true)
    #expect(management.nextQuestion == nil)
  }

  @Test("Before the server has agreed it is not asked")
  func tooEarly() {
    var management = StreamManagement()
    for number in 0..<20 { management.sent(Self.message(number), bytes: 10, at: Self.start) }
    #expect(management.nextQuestion == nil)
  }

  @Test("What waits for the server's word is limited in number and size")
  func limits() throws {
    var many = try Self.enabled()
    for number in 0..<StreamManagement.mostStanzas { many.sent(Self.message(number), bytes: 1, at: Self.start) }
    #expect(!many.isFull)
    many.sent(Self.message(0), bytes: 1, at: Self.start)
    #expect(many.isFull)
    #expect(many.acknowledged(1) == true)
    #expect(!many.isFull)
    var large = try Self.enabled()
    large.sent(Self.message(0), bytes: StreamManagement.mostBytes, at: Self.start)
    #expect(!large.isFull)
    large.sent(Self.message(1), bytes: 1, at: Self.start)
    #expect(large.isFull)
    #expect(large.acknowledged(1) == true)
    #expect(!large.isFull)
  }
}
