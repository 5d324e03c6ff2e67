// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// However a session ends, those who saw us are told so, and nobody else is.
@Suite("The end of decloaking", .serialized, .timeLimit(.minutes(15)))
struct DecloakEndingTests {
  enum Ending: String, CaseIterable, Sendable { case revoked, expired, hidden, off, disconnected, terminated }

  private static let pairs = XMPPServer.Family.allCases.flatMap { family in Ending.allCases.map { (family, $0) } }

  /// Addresses that the program said goodbye to on this stream, in order, and whether anything followed the goodbye to
  /// all or the end of the stream.
  private func goodbyes(_ pieces: [String]) -> [String] {
    pieces.prefix { !$0.hasPrefix("</stream") }.compactMap { Node($0) }.filter {
      $0.name == "presence" && $0["type"] == "unavailable"
    }.compactMap { $0["to"] }
  }

  /// A proxy that reads what the program sends, and whom the program has to trust for that.
  private func tap(_ server: XMPPServer) throws -> (FaultProxy, authority: String) {
    let (root, good) = try Self.certificates.get()
    return (
      try FaultProxy(to: server.clientPort, interception: Interception(.starttls, showing: good)), root.file
    )
  }

  private static let certificates = Result {
    let root = try TestCertificate("Root of the tests of endings", maySign: true)
    return (root, try TestCertificate("localhost", issuer: root))
  }

  @Test(
    "Whatever ends sessions, directed unavailable goes to exactly those who were shown us, before the stream ends",
    arguments: pairs)
  func ending(family: XMPPServer.Family, ending: Ending) async throws {
    try await Witness.run(on: family) { witness in
      let (proxy, authority) = try tap(witness.server)
      defer { proxy.stop() }
      let tybalt = try witness.decloaking(
        "tybalt", isVisible: ending == .hidden,
        parameters: ["port": .uint16(proxy.port), "ca-file": .string(authority)])
      let full = try tybalt.fullJID()
      try witness.takeInterest()
      let people = try ["juliet", "nurse", "peter", "rosaline"].map { try witness.client($0) }
      let (shown, others) = (Array(people.prefix(2)), people.dropFirst(2))
      for person in people {
        try person.send("<presence/>")
        try person.ping()
      }
      // jabberd2 passes nothing on to a device that has broadcast nothing; behind a list it has.
      for person in people.prefix(3) { try person.askToDecloak(full) }
      try witness.fence()
      let lifetime: KeyValuePairs<String, BusValue> = ending == .expired ? ["lifetime": .uint32(1)] : [:]
      let mark = proxy.sentByClients.count
      witness.show(tybalt, to: shown.map(\.jid))
      for person in shown {
        let request = try tybalt.requests().first { $0["Contact"]?.text == person.bare }
        let id = BusValue.string(request?["Id"]?.text ?? "")
        try tybalt.call(.Decloak, "Approve", [id, .string("once"), .options(lifetime)])
        #expect(try person.expectShown(full).isMinimalPresence)
      }
      let causes = try witness.step("the end: \(ending)") {
        // While the step lasts, those who were shown him are owed a goodbye.
        defer { witness.show(tybalt, to: []) }
        switch ending {
        case .revoked: try tybalt.call(.Decloak, "Revoke", [.string("")])
        case .expired: break
        case .hidden:
          witness.model.accounts[tybalt.jid]?.isVisible = false
          try tybalt.call(.Visibility, "SetInvisible")
        case .off: try tybalt.set(.Decloak, "Policy", .string("off"))
        case .disconnected: try tybalt.disconnect()
        case .terminated:
          let ended = try witness.daemon?.terminate(within: .seconds(5))
          #expect(ended == .status(0))
          tybalt.isGone()
        }
        for person in shown { try person.expectGone(full) }
        guard ending != .terminated else { return ["disconnected"] }
        for _ in 0..<2 {
          try witness.owner.expect("the end of a session in which we are seen") {
            $0.member == "SessionEnded" && $0.arguments.dropFirst().first?.text == "they-see-me"
          }
        }
        let ends = witness.owner.received.filter { $0.member == "SessionEnded" }
        return Set(ends.compactMap { $0.arguments.last?.text }).sorted()
      }
      #expect(causes == [ending == .off ? "revoked" : ending == .terminated ? "disconnected" : ending.rawValue])
      let told = goodbyes(Array(proxy.sentByClients.dropFirst(mark)))
      #expect(Set(told) == Set(shown.map(\.jid)) && told.count == shown.count, "told: \(told)")
      for other in others { #expect(other.presences(of: tybalt.jid).isEmpty, "\(other.name)") }
      for person in shown {
        // The server may say so once more of a session that has ended altogether.
        let heard = person.presences(of: tybalt.jid)
        #expect(heard == ["", "unavailable"], "\(person.name): \(heard)")
      }
      if ending != .terminated, ending != .disconnected { try tybalt.disconnect() }
    }
  }

  @Test(
    "After kill -9 the next one says the goodbyes that are owed, from the same resource, and nothing else",
    arguments: XMPPServer.Family.allCases)
  func killed(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family, withDaemon: false) { witness in
      let state = try TemporaryDirectory()
      defer { withExtendedLifetime(state) {} }
      let (proxy, authority) = try tap(witness.server)
      defer { proxy.stop() }
      let user = try witness.user("tybalt")
      let people = try ["juliet", "nurse", "rosaline"].map { try witness.client($0) }
      for person in people {
        try person.send("<presence/>")
        try person.ping()
      }
      func add() throws -> OurAccount {
        try witness.account(
          "tybalt", user: user,
          parameters: [
            "port": .uint16(proxy.port), "ca-file": .string(authority), "visibility": .string("invisible"),
          ])
      }
      let first = try DaemonProcess(on: witness.bus, stateDirectory: state.file("state"))
      let before = try add()
      try before.connect()
      let full = try before.fullJID()
      for person in people.prefix(2) {
        try witness.step("\(person.name) is shown Tybalt") {
          witness.model.accounts[before.jid]?.sessions.insert(person.jid)
          try before.call(.Decloak, "Share", [.string(person.jid), .options()])
          try person.expectShown(full)
        }
      }
      try witness.step("one of them is told in good order: nothing is owed to her") {
        witness.show(before, to: [people[0].jid])
        try before.call(.Decloak, "Revoke", [.string(people[1].bare)])
        try people[1].expectGone(full)
      }
      let mark = proxy.sentByClients.count
      try first.process.end(with: SIGKILL, within: .seconds(5))
      before.isGone()

      let second = try DaemonProcess(on: witness.bus, stateDirectory: state.file("state"))
      let after = try add()
      try witness.step("the next one connects") {
        try after.connect()
        try people[0].expectGone(full)
      }
      witness.show(after, to: [])
      #expect(try after.fullJID() != full, "a resource that somebody knows is left")
      let sent = proxy.sentByClients.dropFirst(mark)
      let binds = sent.filter { $0.contains("urn:ietf:params:xml:ns:xmpp-bind") }
      let resource = String(full.dropFirst(before.jid.count + 1))
      #expect(binds.count == 2 && binds.first?.contains(resource) == true && binds.last?.contains(resource) == false)
      let presences = sent.compactMap { Node($0) }.filter { $0.name == "presence" && $0["to"] != nil }
      let goodbyes = presences.filter { $0["type"] == "unavailable" }
      #expect(goodbyes.map { $0["to"] } == [people[0].jid])
      #expect(presences.allSatisfy { ["unavailable", "probe"].contains($0["type"]) }, "\(presences)")
      #expect(people[1].presences(of: after.jid) == ["", "unavailable"])
      #expect(Set(people[0].presences(of: after.jid).dropFirst()) == ["unavailable"])
      #expect(people[2].presences(of: after.jid).isEmpty)
      try after.disconnect()
      _ = try second.terminate()
    }
  }

  @Test(
    "Upgrade turns a session into a subscription without a gap, and a contact who does not want it sees us still",
    arguments: XMPPServer.Family.allCases, [true, false])
  func upgrade(family: XMPPServer.Family, isWanted: Bool) async throws {
    try await Witness.run(on: family) { witness in
      let tybalt = try witness.decloaking("tybalt")
      try witness.takeInterest()
      let full = try tybalt.fullJID()
      let juliet = try witness.client("juliet", resource: "balcony")
      try juliet.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
      try juliet.send("<presence/>")
      try juliet.askToDecloak(full)
      try witness.fence()
      try witness.step("Juliet sees Tybalt in a session") {
        witness.show(tybalt, to: [juliet.jid])
        try tybalt.approveOnly()
        try juliet.expectShown(full)
      }
      try witness.step("Tybalt wants it to last") {
        // jabberd2 keeps the permission that goes with it, and acts on it, before she has asked.
        witness.model.accounts[tybalt.jid]?.subscribers = [juliet.bare]
        try tybalt.call(.Decloak, "Upgrade", [.string(juliet.bare), .options()])
        try juliet.expect("the request") { $0["type"] == "subscribe" && $0["from"] == tybalt.jid }
      }
      #expect(try tybalt.sessions("they-see-me") == [juliet.jid], "until she has said yes it is a session")
      guard isWanted else {
        try witness.step("Juliet does not") {
          try juliet.send("<presence type='unsubscribed' to='\(tybalt.jid)'/>")
        }
        #expect(try tybalt.sessions("they-see-me") == [juliet.jid])
        #expect(!juliet.presences(of: tybalt.jid).contains("unavailable"))
        guard family != .jabberd2 else { return }
        witness.model.accounts[tybalt.jid]?.subscribers = []
        try witness.step("Tybalt ends it") {
          witness.show(tybalt, to: [])
          try tybalt.call(.Decloak, "Revoke", [.string("")])
          try juliet.expectGone(full)
        }
        return
      }
      try witness.step("Juliet wants it, too") {
        try juliet.send(
          "<presence type='subscribed' to='\(tybalt.jid)'/><presence type='subscribe' to='\(tybalt.jid)'/>")
        // Where the permission was not kept in advance, her request waits for a yes like any other.
        try witness.fence()
        let requests = try tybalt.call(.Connection, "ListSubscriptionRequests")[0].list
        if !requests.isEmpty {
          try tybalt.call(
            .Connection, "AuthorizeSubscription", [.string(juliet.bare), .options(["reveal": .bool(true)])])
        }
        let ended = try witness.owner.expectSignal("SessionEnded").arguments.map(\.text)
        #expect(ended[0] == juliet.bare && ended[2] == "upgraded")
      }
      witness.show(tybalt, to: [])
      try witness.step("what he does now reaches her by subscription") {
        try tybalt.call(.Connection, "SetPresence", [.string("dnd"), .string("fencing"), .options()])
        try juliet.expect("his status") { $0.child("status")?.text == "fencing" && $0.child("show")?.text == "dnd" }
      }
      #expect(!juliet.presences(of: tybalt.jid).contains("unavailable"), "without a gap")
    }
  }
}
