// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Store
import Testing
import XML
import XMPP

@testable import Gateway

@Suite("Stanzas of a gateway's addresses")
struct StanzaTests {
  private let jmi = "urn:xmpp:jingle-message:0"
  private let jingle = "urn:xmpp:jingle:1"

  init() { EventLoop.runInBackground() }

  private func initiate(_ action: String = "session-initiate", id: String = "q1", from: String = House.juliet) -> String
  {
    "<iq from='\(from)' to='\(House.romeo)' type='set' id='\(id)'><jingle xmlns='\(jingle)' action='\(action)' sid='s1'/></iq>"
  }

  @LoopActor private func shown() async throws -> House {
    let house = try await House().connect()
    try house.account.setPolicy(.allow)
    try house.ask()
    _ = try house.taken()
    return house
  }

  @Test(
    "A question from inside goes to its handler alone, whole if it wants that, and is answered in the address's name")
  @LoopActor func handed() async throws {
    let house = try await shown()
    try house.account.addHandler([jingle], takesMessages: false, wantsWhole: true, for: ":1.1")
    _ = try house.taken()
    try house.server.say(initiate())
    try house.server.say(initiate(id: "q2", from: "tybalt@shakespeare.lit/library"))
    let handed = try #require(house.handed().first)
    #expect(house.handed().count == 1 && handed.recipients == [":1.1"])
    #expect(handed.payload == initiate().replacing(" type='set' id='q1'", with: " type='set' id='q1'"))
    try house.account.answerIQ(handed.id, isError: false, payload: "", from: ":1.1")
    let sent = try house.taken()
    #expect(sent.count == 2)
    #expect(sent.contains("<iq from='\(House.romeo)' to='\(House.juliet)' id='q1' type='result'/>"))
    #expect(sent.contains { $0.contains("tybalt") && $0.contains("service-unavailable") })
  }

  @Test(
    "Without a handler, and for an account's kind of handler, a question and a message look as they do at an account")
  @LoopActor func plain() async throws {
    let house = try await shown()
    try house.server.say(initiate())
    #expect(try house.taken().first?.contains("service-unavailable") == true)
    try house.account.addHandler([jingle], takesMessages: true, wantsWhole: false, for: ":1.1")
    try house.account.addHandler(["urn:x:other"], takesMessages: true, wantsWhole: true, for: ":1.2")
    try house.server.say(initiate())
    #expect(house.handed().first?.payload == "<jingle xmlns='\(jingle)' action='session-initiate' sid='s1'/>")
    try house.server.say(
      "<message from='\(House.juliet)' to='\(House.romeo)' type='chat' id='m'><body>Hi</body></message>")
    let payloads = house.handed().dropFirst().map { $0.recipients.joined() + $0.payload }.sorted()
    #expect(payloads.count == 2 && payloads[0] == ":1.1<body>Hi</body>")
    #expect(payloads[1].hasPrefix(":1.2<message ") && payloads[1].contains("to='\(House.romeo)'"))
  }

  @Test("What handlers can do is announced to those who see an address, with a hash that is true; it goes with them")
  @LoopActor func features() async throws {
    let house = try await shown()
    let before = house.account.ownCapabilities.hash
    try house.account.addHandler(["urn:x:fax"], takesMessages: false, wantsWhole: true, for: ":1.1")
    let sent = try house.taken()
    let own = house.account.ownCapabilities
    #expect(sent.count == 1 && sent[0].contains("ver='\(own.hash)'") && own.hash != before)
    #expect(own.info.features.contains("urn:x:fax"))
    #expect(EntityCapabilities.verify(own.info, hash: own.hash, algorithm: "sha-1"))
    house.account.clientLeft(":1.1")
    #expect(try house.taken().first?.contains("ver='\(before)'") == true)
  }

  @Test("The last terminate ends the session that was for the call")
  @LoopActor func terminate() async throws {
    let house = try await shown()
    try house.account.addHandler([jingle], takesMessages: false, wantsWhole: true, for: ":1.1")
    _ = try house.taken()
    for action in ["session-initiate", "session-terminate"] {
      try house.server.say(initiate(action, id: action))
      let handed = try #require(house.handed().last)
      try house.account.answerIQ(handed.id, isError: false, payload: "", from: ":1.1")
    }
    #expect(try house.taken().last == gone())
    #expect(house.account.gateway.sessionCount == 0)
  }

  @Test("A question is sent from the address that the call names, and its answer comes back; nobody else can answer")
  @LoopActor func asking() async throws {
    let house = try await shown()
    try house.server.onSend = { stanza in
      guard stanza.name == "iq", let id = stanza.attribute("id") else { return nil }
      #expect(stanza.attribute("from") == "\(House.romeo)/call")
      try? house.server.say("<iq from='tybalt@shakespeare.lit/x' to='\(House.romeo)' type='error' id='\(id)'/>")
      return "<iq from='\(House.juliet)' to='\(House.romeo)/call' type='result' id='\(id)'><ok xmlns='urn:x:ok'/></iq>"
    }
    let answer = try await house.account.sendIQ(
      .set, to: try JID(House.juliet), from: try JID("\(House.romeo)/call"), payload: "<go xmlns='urn:x:go'/>",
      reveal: false, limit: .seconds(10))
    #expect(answer == "<ok xmlns='urn:x:ok'/>")
    let error = await #expect(throws: AccountError.self) {
      try await house.account.sendIQ(
        .get, to: try JID("tybalt@shakespeare.lit/x"), from: try JID(House.romeo), payload: "<go xmlns='urn:x:go'/>",
        reveal: false, limit: .seconds(10))
    }
    #expect(error?.code == .wouldReveal)
  }

  private func propose(_ name: String = "propose", to: String = House.romeo) -> String {
    "<message from='\(House.juliet)' to='\(to)' type='chat'><\(name) xmlns='\(jmi)' id='c1'/></message>"
  }

  @Test("A proposed call is a request for media: handed over behind the presence after the yes, and dropped after a no")
  @LoopActor func proposal() async throws {
    let house = try await House().connect()
    try house.account.addHandler([jmi], takesMessages: false, wantsWhole: true, for: ":1.1")
    try house.account.setPolicy(.ask)
    try house.server.say(propose())
    let other = "nurse%shakespeare.lit@sip.shakespeare.lit"
    try house.server.say(propose(to: other))
    #expect(try house.taken().isEmpty)
    #expect(house.handed().isEmpty)
    let requests = house.announced()
    #expect(requests.count == 2 && requests.allSatisfy { $0.reason == .media })
    try house.account.deny(requests[1].id)
    try house.account.approve(requests[0].id, full: false, lifetime: nil)
    #expect(house.handed().count == 1 && house.handed()[0].payload.contains("to='\(House.romeo)'"))
    let sent = try house.taken()
    #expect(sent.count == 1 && isShown(sent[0]))
    #expect(house.account.proposals.isEmpty)
  }

  @Test(
    "Unless all is off, proposals get silence from every address: those that are asked about give nothing else",
    arguments: [Decloak.Policy.rules, .ask, .allow])
  @LoopActor func silentProposals(_ policy: Decloak.Policy) async throws {
    let house = try await House().connect()
    try house.account.setPolicy(policy)
    try house.account.setRule(.ask, for: .target(try TargetPattern("romeo%*@sip.shakespeare.lit")))
    let addresses = [House.romeo, "nobody%montague.lit@sip.shakespeare.lit", House.domain, "\(House.domain)/x"]
    for address in addresses {
      for name in ["propose", "retract"] { try house.server.say(propose(name, to: address)) }
    }
    #expect(try house.taken().isEmpty)
    #expect(house.announced().count == 1, "only one is asked about")
    // The fence: what is no proposal is answered.
    try house.server.say(propose("proceed"))
    #expect(try house.taken().count == 1)
  }

  @Test("While all is off a proposal is answered as for a user that there is not")
  @LoopActor func refusedProposal() async throws {
    let house = try await House().connect()
    try house.server.say(propose())
    let sent = try house.taken()
    #expect(sent.count == 1 && sent[0].contains("type='error'"))
  }

  @Test("A proposal that is taken back takes the request with it")
  @LoopActor func retracted() async throws {
    let house = try await House().connect()
    try house.account.setPolicy(.ask)
    try house.server.say(propose())
    try house.server.say(propose("retract"))
    #expect(try house.taken().isEmpty)
    #expect(house.account.gateway.pendingCount == 0 && house.account.proposals.isEmpty)
    #expect(house.account.waiting.isEmpty)
  }

  @Test("An address of ours asks: it is shown to the whole contact, and the answer is a peer with what it can do")
  @LoopActor func requestDecloak() async throws {
    let house = try await House().connect()
    let juliet = try BareJID("juliet@shakespeare.lit")
    let asked = try await house.account.requestDecloak(
      juliet, from: try JID(House.romeo), reason: .media, wait: .zero, lifetime: nil, reveal: false)
    let sent = try house.taken()
    #expect(sent.count == 1 && isShown(sent[0], to: "juliet@shakespeare.lit"))
    #expect(sent[0].contains("<decloak xmlns='urn:xmpp:decloak:0' reason='media'/>"))
    #expect(try house.store.disclosures().map(\.jid) == ["juliet@shakespeare.lit"])
    try house.server.onSend = { stanza in
      guard stanza.name == "iq", let id = stanza.attribute("id") else { return nil }
      return "<iq from='\(House.juliet)' to='\(House.romeo)' type='result' id='\(id)'>"
        + "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/>"
        + "<feature var='urn:x:f'/></query></iq>"
    }
    var peer: PeerInfo?
    let told = Waiter()
    house.onEvent = {
      guard case .peerDecloaked(let id, let found, let target) = $0 else { return }
      #expect(id == asked.id && target.text == House.romeo)
      peer = found
      told.finish()
    }
    try house.server.say("<presence from='\(House.juliet)' to='\(House.romeo)'/>")
    // The question about what it can do waits for the end of the turn.
    await told.wait()
    #expect(peer?.jid.description == House.juliet && peer?.capabilities.features == ["urn:x:f"])
  }
}

/// Something that is waited for.
@LoopActor
final class Waiter {
  private var isOver = false
  private var continuation: CheckedContinuation<Void, Never>?

  nonisolated init() {}

  func finish() {
    isOver = true
    continuation?.resume()
    continuation = nil
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      if isOver { continuation.resume() } else { self.continuation = continuation }
    }
  }
}
