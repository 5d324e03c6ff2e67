// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// The listings of XEP-0276 §4, person to person, as they are on the wire of each server, from either side.
@Suite("Listings of decloaking", .serialized, .timeLimit(.minutes(15)))
struct DecloakListingsTests {
  private static let caps = "http://jabber.org/protocol/caps"
  private static let info = "http://jabber.org/protocol/disco#info"

  /// Exodus as it stands in XEP-0115 §5.2, hash and all: a device whose capabilities can be verified.
  private static let exodus =
    "<c xmlns='\(caps)' hash='sha-1' node='http://code.google.com/p/exodus' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>"
  private static let exodusFeatures = [
    caps, info, "http://jabber.org/protocol/disco#items", "http://jabber.org/protocol/muc",
  ]

  private static func features(_ features: [String]) -> String {
    features.map { "<feature var='\($0)'/>" }.joined()
  }

  @Test(
    "Listings 1 to 3: Juliet asks the account, and both of Tybalt's devices answer her full JID with capabilities alone",
    arguments: XMPPServer.Family.allCases)
  func asked(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      // One device in each of two programs, for one has an account once only.
      let other = try OtherHouse()
      let library = try witness.decloaking("tybalt", policy: "allow", parameters: ["resource": .string("library")])
      let garden = try other.connect(library, resource: "garden", policy: "ask", on: witness.server)
      try witness.step("both are busy, which concerns nobody") {
        try library.call(.Connection, "SetPresence", [.string("dnd"), .string("researching"), .options()])
        try garden.call("Connection", "SetPresence", [.string("xa"), .string("gone to the library"), .options()])
      }
      let juliet = try witness.client("juliet", resource: "balcony")
      try witness.step("Juliet is available, and on the phone") {
        try juliet.send("<presence><show>dnd</show><status>on the phone</status></presence>")
      }
      #expect(juliet.presences(of: library.jid).isEmpty, "listing 1: neither can see the other")
      let mark = juliet.received.count
      try witness.step("Juliet asks") {
        witness.show(library, to: [juliet.jid])
        try juliet.askToDecloak(library.jid)
        let shown = try juliet.expectShown(library.fullJID())
        #expect(shown.isMinimalPresence, "\(shown.canonical)")
        #expect(shown["to"] == juliet.jid)
      }
      try witness.step("the other device says yes later") {
        try garden.fence(through: juliet)
        let requests = try garden.call("Decloak", "ListRequests")[0].list
        #expect(requests.map { $0["Requester"]?.text } == [juliet.jid])
        #expect(requests.first?["Reason"]?.text == "media")
        #expect(juliet.presences(of: library.jid, since: mark) == [""])
        let id = requests.first?["Id"]?.text ?? ""
        try garden.call("Decloak", "Approve", [.string(id), .string("once"), .options()])
        let shown = try juliet.expectShown(garden.full)
        #expect(shown.isMinimalPresence, "\(shown.canonical)")
      }
      #expect(juliet.presences(of: library.jid, since: mark) == ["", ""], "each device answers once")
      try witness.step("she finds out what the hashes mean") {
        for full in [try library.fullJID(), garden.full] {
          let answer = try juliet.iq("get", to: full, "<query xmlns='\(Self.info)'/>")
          let features = answer.child("query")?.children.compactMap { $0["var"] } ?? []
          // jabberd2 answers this itself, in everybody's name.
          #expect(features.contains("urn:xmpp:decloak:0") == (family != .jabberd2), "\(answer.canonical)")
        }
      }
      try witness.step("one device ends it, and the other goes on") {
        try garden.call("Decloak", "Revoke", [.string(juliet.bare)])
        try juliet.expectGone(garden.full)
      }
      #expect(juliet.presences(of: library.jid, since: mark) == ["", "", "unavailable"])
      let last = juliet.received.count
      try witness.step("and then the other") {
        witness.show(library, to: [])
        try library.call(.Decloak, "Revoke", [.string("")])
        try juliet.expectGone(library.fullJID())
      }
      #expect(juliet.presences(of: library.jid, since: last) == ["unavailable"])
      try other.end()
    }
  }

  /// Capabilities and the request alone, in every dialect.
  private func isListing2(_ presence: Node) -> Bool {
    let elements = presence.children.filter { ["decloak", "temppres"].contains($0.name) }
    let dialects = Set(StrangerQuestion.dialects.compactMap { Node($0)?.canonical })
    return presence.isMinimalPresence && elements.count == 3 && Set(elements.map(\.canonical)) == dialects
  }

  @Test(
    "Listing 2 the other way round: each of Tybalt's devices that answers is a peer, whenever it does and as it can",
    arguments: XMPPServer.Family.allCases)
  func asking(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let juliet = try witness.decloaking("juliet", policy: "off")
      try juliet.call(.Connection, "SetPresence", [.string("dnd"), .string("on the phone"), .options()])
      try witness.takeInterest()
      let full = try juliet.fullJID()
      let tybalt = try witness.user("tybalt")
      let devices = try ["library", "garden", "hall"].map { try witness.client($0, user: tybalt, resource: $0) }
      for device in devices {
        try device.send("<presence><show>xa</show></presence>")
        try device.ping()
      }
      let bare = devices[0].bare
      let arguments: [BusValue] = [.string(bare), .string("media"), .options(["wait": .uint32(20_000)])]
      witness.show(juliet, to: [bare])
      let asking = try juliet.begin(.Decloak, "RequestDecloak", arguments)
      for device in devices {
        let question = try device.expect("the question") { $0["from"] == full && $0["type"] == nil }.node
        #expect(isListing2(question), "\(question.canonical)")
      }
      // jabberd2 answers in everybody's name: no device is ever asked, and none that announces a hash can prove it.
      let isReached = family != .jabberd2
      func answer(_ device: RawClient, _ features: [String], _ caps: String, isAsked: Bool = true) throws {
        let mark = device.received.count
        try device.send("<presence to='\(full)'>\(caps)</presence>")
        if isAsked, isReached {
          let question = try device.expect("a question for its features", from: mark) {
            $0.name == "iq" && $0["from"] == full && $0.child("query", Self.info) != nil
          }.node
          let node = question.child("query")?["node"].map { " node='\($0)'" } ?? ""
          try device.send(
            "<iq type='result' to='\(full)' id='\(question["id"] ?? "")'><query xmlns='\(Self.info)'\(node)>"
              + "<identity category='client' type='pc' name='Exodus 0.9.1'/>\(Self.features(features))</query></iq>")
        }
        let news = try witness.owner.expectSignal("PeerDecloaked").arguments
        #expect(news[1].text == device.jid)
        let told = news[2]["Features"]?.list.map(\.text) ?? []
        if isReached { #expect(told.sorted() == features.sorted()) }
        if !isReached, !caps.isEmpty { #expect(told == []) }
      }
      var id = ""
      try witness.step("the first device answers") {
        try answer(devices[0], Self.exodusFeatures, Self.exodus)
        let reply = try witness.owner.finish(asking)
        id = reply[0].text
        #expect(reply[1].list.map { $0["Jid"]?.text } == [devices[0].jid])
      }
      let mark = devices[1].received.count
      try witness.step("the second announces the same, and is not asked again") {
        try answer(devices[1], Self.exodusFeatures, Self.exodus, isAsked: false)
      }
      #expect(!devices[1].received.dropFirst(mark).contains { $0.node.name == "iq" && $0.node["from"] == full })
      #expect(try juliet.sessions("i-see-them") == Set(devices.prefix(2).map(\.jid)))
      try witness.step("the third announces nothing") { try answer(devices[2], ["urn:xmpp:jingle:1"], "") }
      let before = devices.map(\.received.count)
      let again = try witness.step("Juliet asks once more") { try juliet.call(.Decloak, "RequestDecloak", arguments) }
      #expect(again[0].text == id)
      #expect(again[1].list.map { $0["Jid"]?.text } == devices.map(\.jid).sorted())
      for (device, count) in zip(devices, before) {
        #expect(device.presences(of: juliet.jid, since: count).isEmpty, "nothing is sent twice")
      }
      try witness.step("one of them leaves") {
        try devices[0].send("<presence to='\(full)' type='unavailable'/>")
        let ended = try witness.owner.expectSignal("SessionEnded").arguments.map(\.text)
        #expect(ended == [bare, "i-see-them", "peer-left"])
      }
      #expect(try juliet.sessions("i-see-them") == Set(devices.dropFirst().map(\.jid)))
      try witness.step("Juliet ends it") {
        witness.show(juliet, to: [])
        try juliet.call(.Decloak, "Revoke", [.string(bare)])
        for device in devices { try device.expectGone(full) }
      }
      for (device, count) in zip(devices, before) {
        #expect(device.presences(of: juliet.jid, since: count) == ["unavailable"], "\(device.name)")
      }
    }
  }

  @Test(
    "Each dialect alone is understood, Gabble's among them; where they differ the URN's reason counts",
    arguments: XMPPServer.Family.allCases)
  func dialects(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let tybalt = try witness.decloaking("tybalt")
      let (urn, legacy, gabble) = (
        "urn:xmpp:decloak:0", "http://telepathy.freedesktop.org/xmpp/protocol/decloak", "urn:xmpp:temppres:0"
      )
      let cases: [(xml: String, reason: String, namespaces: [String])] = [
        ("<decloak xmlns='\(urn)' reason='file'/>", "file", [urn]),
        ("<decloak xmlns='\(legacy)' reason='media'/>", "media", [legacy]),
        ("<temppres xmlns='\(gabble)' reason='media'/>", "media", [gabble]),
        ("<temppres xmlns='\(gabble)'/>", "", [gabble]),
        ("<temppres xmlns='\(gabble)' reason='whim'/>", "other", [gabble]),
        (
          "<temppres xmlns='\(gabble)' reason='media'/><decloak xmlns='\(legacy)' reason='text'/>"
            + "<decloak xmlns='\(urn)' reason='file'/>",
          "file", [urn, legacy, gabble]
        ),
        ("<temppres xmlns='\(urn)'/><decloak xmlns='\(gabble)'/>", "no request", []),
      ]
      for (index, (xml, reason, namespaces)) in cases.enumerated() {
        let juliet = try witness.client("juliet\(index)of")
        try juliet.send("<presence/>")
        try witness.step("she asks with \(xml)") { try juliet.askToDecloak(tybalt.jid, xml) }
        let requests = try tybalt.requests()
        #expect(requests.count == (namespaces.isEmpty ? 0 : 1), "\(xml)")
        #expect(juliet.presences(of: tybalt.jid).isEmpty)
        guard let request = requests.first else { continue }
        #expect(request["Reason"]?.text == reason, "\(xml)")
        #expect(request["Namespaces"]?.list.map(\.text).sorted() == namespaces.sorted(), "\(xml)")
        try witness.step("he says yes") {
          witness.show(tybalt, to: [juliet.jid])
          try tybalt.approveOnly()
          #expect(try juliet.expectShown(tybalt.fullJID()).isMinimalPresence)
        }
        try witness.step("and takes it back") {
          witness.show(tybalt, to: [])
          try tybalt.call(.Decloak, "Revoke", [.string("")])
          try juliet.expectGone(tybalt.fullJID())
        }
      }
    }
  }
}
