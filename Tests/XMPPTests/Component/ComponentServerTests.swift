// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Support
import Testing
import XML

@testable import XMPP

/// Components of the servers that people run. What differs between them is in CONTRIBUTING.md.
@Suite("A component of each server", .timeLimit(.minutes(3)), .serialized)
struct ComponentServerTests {
  init() { EventLoop.runInBackground() }

  /// Connects to the component's port, until it is ready or has ended.
  @LoopActor private func connect(
    _ port: UInt16, domain: String = XMPPServer.componentDomain, secret: String = XMPPServer.componentSecret,
    isBalanced: Bool = false
  ) async throws -> ComponentWatcher {
    let component = try component(port: port, domain: domain, secret: secret) { $0.isBalanced = isBalanced }
    component.stream.open()
    await component.wait { $0.isReady || $0.end != nil }
    return component
  }

  @LoopActor private func joined(_ port: UInt16, isBalanced: Bool = false) async throws -> ComponentWatcher {
    let component = try await connect(port, isBalanced: isBalanced)
    try #require(component.isReady, "\(component.end?.text ?? "")")
    return component
  }

  /// Waits for the next of what it was sent and that is not the server's own.
  @LoopActor private func hear(_ component: ComponentWatcher, _ body: String) async -> Element? {
    func isMeant(_ raw: Element) -> Bool { raw.child(body, "urn:x") != nil }
    await component.wait { $0.stanzas.contains { isMeant($0.raw) } || $0.end != nil }
    return component.stanzas.first { isMeant($0.raw) }?.raw
  }

  @LoopActor private func say(_ component: ComponentWatcher, _ text: String) throws {
    component.stream.send(try Element.parse(text, namespace: "jabber:client"))
  }

  /// Waits for the end.
  @LoopActor private func end(_ component: ComponentWatcher) async throws -> StreamEnd {
    await component.wait { $0.end != nil }
    return try #require(component.end)
  }

  @LoopActor private func close(_ component: ComponentWatcher) async {
    component.stream.close()
    await component.wait { $0.end != nil }
  }

  @Test(
    "Logs in, talks with a client, holds its domain, and comes back after a restart",
    arguments: XMPPServer.Family.allCases)
  func story(family: XMPPServer.Family) async throws {
    let server = try XMPPServer(family, settings: ["ACCOUNTS": "juliet:secret"])
    defer { try? server.stop() }
    let port = server.componentPort
    let component = try await joined(port)

    // A presence and an IQ, both ways.
    let juliet = try RawClient.login(name: "Juliet", port: server.clientPort, user: "juliet", password: "secret")
    try juliet.send("<presence/>")
    try juliet.send("<presence to='romeo%h@sip.localhost'><there xmlns='urn:x'/></presence>")
    let presence = try #require(await hear(component, "there"))
    #expect(presence.attribute("from") == juliet.jid && presence.attribute("to") == "romeo%h@sip.localhost")
    try await say(component, "<presence from='romeo%h@sip.localhost/gw' to='\(juliet.jid)'/>")
    try juliet.expect("presence") { $0.name == "presence" && $0["from"] == "romeo%h@sip.localhost/gw" }
    try juliet.send("<iq type='get' id='q1' to='romeo%h@sip.localhost/gw'><asked xmlns='urn:x'/></iq>")
    let question = try #require(await hear(component, "asked"))
    #expect(question.attribute("id") == "q1")
    try await say(component, "<iq type='result' id='q1' from='romeo%h@sip.localhost/gw' to='\(juliet.jid)'/>")
    try juliet.expect("the answer") { $0["id"] == "q1" && $0["type"] == "result" }
    try await say(component, "<iq type='get' id='q2' from='sip.localhost' to='\(juliet.jid)'><q xmlns='urn:x'/></iq>")
    try juliet.expect("a question") { $0["id"] == "q2" && $0["from"] == "sip.localhost" }

    // Others who want in.
    let stranger = try await connect(port, secret: "guess")
    let refusal = try await end(stranger)
    #expect(refusal.code == .authentication && refusal.isFinal)
    try await whoeverIsNotKnown(family, port)
    let winner = try await whoeverComesSecond(family, port, component)

    // The server goes and comes back.
    try server.stop()
    let parting = try await end(winner)
    #expect(parting.code == Self.parting(of: family) && !parting.isFinal)
    let absence = try await end(try await connect(port))
    #expect(absence.code == .network && !absence.isFinal)
    try server.startAgain()
    await close(try await joined(port))
    // Its place is free at once.
    await close(try await joined(port))
  }

  /// What servers say when they are shut down.
  private static func parting(of family: XMPPServer.Family) -> StreamEnd.Code {
    switch family {
    case .prosody, .ejabberd: .network
    case .jabberd2: .closedByPeer
    case .loopback: .streamError(.systemShutdown)
    }
  }

  /// jabberd2 lets whoever knows the secret be any domain.
  private func whoeverIsNotKnown(_ family: XMPPServer.Family, _ port: UInt16) async throws {
    let unknown = try await connect(port, domain: "nobody.localhost")
    switch family {
    case .prosody, .loopback: #expect(await unknown.end?.code == .streamError(.hostUnknown))
    case .ejabberd: #expect(await unknown.end?.code == .authentication)
    case .jabberd2: #expect(await unknown.isReady)
    }
    await close(unknown)
  }

  /// Prosody refuses the second, our own server ends the first; ejabberd and jabberd2 have both, and say nothing.
  /// - Returns: whose the domain is.
  private func whoeverComesSecond(
    _ family: XMPPServer.Family, _ port: UInt16, _ first: ComponentWatcher
  ) async throws -> ComponentWatcher {
    let second = try await connect(port)
    let (winner, loser) = family == .loopback ? (second, first) : (first, second)
    let conflict = try await end(loser)
    #expect(conflict.code == .streamError(.conflict) && !conflict.isFinal)
    #expect(await winner.isReady)
    #expect(await winner.end == nil)
    #expect(await second.isReady == (winner === second))
    return winner
  }

  @Test("Two at once share an ejabberd by who asks; a third gets nothing and is told, until one of them goes")
  func balanced() async throws {
    let users = ["juliet", "tybalt", "romeo", "mercutio", "nurse", "paris"]
    let accounts = users.map { "\($0):secret" }.joined(separator: " ")
    let server = try XMPPServer(.ejabberd, settings: ["ACCOUNTS": accounts, "BALANCED": "2"])
    defer { try? server.stop() }
    let port = server.componentPort
    let both = [try await joined(port, isBalanced: true), try await joined(port, isBalanced: true)]
    for user in users {
      for resource in ["balcony", "chamber"] {
        let client = try RawClient.login(
          name: user, port: server.clientPort, user: user, password: "secret", resource: resource)
        // Whom it asks does not matter.
        for number in 0..<3 {
          try client.send("<message to='a\(number)@sip.localhost'><asks xmlns='urn:x'/></message>")
        }
        try client.ping()
        try client.close()
      }
    }
    let askers = await askers(both, after: users.count * 6)
    #expect(askers[0].union(askers[1]) == Set(users))
    #expect(askers[0].isDisjoint(with: askers[1]))
    #expect(!askers[0].isEmpty && !askers[1].isEmpty)
    let third = try await end(try await connect(port, isBalanced: true))
    #expect(third.code == .streamError(.conflict) && !third.isFinal)
    await close(both[0])
    await close(try await joined(port, isBalanced: true))
    await close(both[1])
  }

  /// Who has asked each of two, once there were so many stanzas in all.
  @LoopActor private func askers(_ components: [ComponentWatcher], after count: Int) async -> [Set<String>] {
    components[1].twin = components[0]
    await components[0].wait { $0.end != nil || components.reduce(0) { $0 + $1.stanzas.count } >= count }
    return components.map { Set($0.stanzas.compactMap(\.stanza.from?.bare.localpart)) }
  }
}
