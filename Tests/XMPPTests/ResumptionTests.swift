// SPDX-License-Identifier: Apache-2.0

import Testing
import XML

@testable import XMPP

@Suite("Going on with a session")
struct ResumptionTests {
  static let offer = Script.bind + "<sm xmlns='urn:xmpp:sm:3'/>"
  static let resume = "<resume xmlns='urn:xmpp:sm:3' h='7' previd='some-id'/>"
  static let binding =
    "<iq id='bind-0123' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    + "<resource>random</resource></bind></iq>"

  private func script(account: String = "user@shakespeare.lit") throws -> Script {
    let resumption = try StreamManagementTests.resumption(handled: 7, acknowledged: 10, sent: 3)
    var script = try Script(account: account, resumption: resumption)
    try script.toBinding()
    return script
  }

  @Test("The session is asked for, and what the server never had is given back")
  func resumed() throws {
    for (count, lost) in [(10, 3), (11, 2), (13, 0)] {
      var script = try script()
      #expect(try script.features(Self.offer) == [Self.resume])
      #expect(
        try script.element("<resumed xmlns='urn:xmpp:sm:3' h='\(count)' previd='some-id'/>")
          == ["resumed by PLAIN, lost \(lost)"])
      #expect(try script.element("<message/>") == [])
    }
  }

  @Test("A resumed session counts on from where it was")
  func counts() throws {
    var script = try script()
    _ = try script.features(Self.offer)
    let answer = try Element.parse("<resumed xmlns='urn:xmpp:sm:3' h='11' previd='some-id'/>")
    guard
      case .resumed(let resumption, let management, let lost, _, _)? =
        script.negotiation.received(.element(answer, isLast: true)).first
    else {
      Issue.record("it was not resumed")
      return
    }
    #expect(resumption.jid == (try FullJID("user@shakespeare.lit/x")))
    #expect(management.handled == 7)
    #expect(management.sent == 11)
    #expect(lost == [StreamManagementTests.message(1), StreamManagementTests.message(2)])
  }

  @Test("A session that the server has no more is followed by a new one on the same stream")
  func refused() throws {
    for (count, lost) in [("", 3), ("h='12'", 1), ("h='13'", 0), ("h='14'", 3), ("h='x'", 3)] {
      var script = try script()
      _ = try script.features(Self.offer)
      #expect(
        try script.element(
          "<failed xmlns='urn:xmpp:sm:3' \(count)>"
            + "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
          == ["not resumed, lost \(lost)", Self.binding])
      #expect(
        try script.element(Script.bound("user@shakespeare.lit/random"))
          == ["bound user@shakespeare.lit/random by PLAIN"])
    }
  }

  @Test("Where it is not offered, or another's, a new session is begun")
  func notAsked() throws {
    var other = try script(account: "other@shakespeare.lit")
    #expect(try other.features(Self.offer) == [Self.binding])
    var unable = try script()
    #expect(try unable.features(Script.bind) == [Self.binding])
  }

  @Test(
    "A server that goes on with another session, or counts what it was never sent, is left",
    arguments: ["h='10' previd='other'", "h='10'", "previd='some-id'"])
  func wrong(attributes: String) throws {
    var script = try script()
    _ = try script.features(Self.offer)
    #expect(
      try script.element("<resumed xmlns='urn:xmpp:sm:3' \(attributes)/>").last == "end protocol")
    #expect(try script.element("<message/>") == [])
  }

  @Test("A session with an impossible count is ended, so that it is not tried again", arguments: ["14", "9"])
  func impossibleCount(count: String) throws {
    var script = try script()
    _ = try script.features(Self.offer)
    #expect(
      try script.element("<resumed xmlns='urn:xmpp:sm:3' h='\(count)' previd='some-id'/>")
        == [
          "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
            + "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='\(count)' send-count='13'/></stream:error>"
            + "</stream:stream>", "end protocol",
        ])
  }

  @Test("A stranger to the handshake ends it")
  func strange() throws {
    var script = try script()
    _ = try script.features(Self.offer)
    #expect(try script.element("<message/>") == ["end protocol"])
  }
}
