// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import LoopbackServer
import Testing
import XML
import XMPP

@Suite("The embedded server, with our own clients", .timeLimit(.minutes(2)))
struct LoopbackServerTests {
  init() {
    EventLoop.runInBackground()
    // A connection that the other end has closed must not end the tests.
    signal(SIGPIPE, SIG_IGN)
  }

  private static func account(_ name: String) throws -> LoopbackRecorder.Client {
    .account(try BareJID("\(name)@localhost"))
  }

  @LoopActor private static func server(
    _ change: (inout LoopbackConfiguration) -> Void = { _ in }
  ) throws -> LoopbackServer {
    var configuration = LoopbackConfiguration()
    configuration.users = try [("joe", ["rynok", "stpeter"]), ("rynok", ["joe"]), ("stpeter", ["joe"])].map {
      name, contacts in
      LoopbackUser(
        try BareJID("\(name)@localhost"), password: "secret",
        roster: try contacts.map { LoopbackContact(try BareJID("\($0)@localhost")) })
    }
    change(&configuration)
    let server = LoopbackServer(configuration)
    try server.start()
    return server
  }

  @LoopActor private static func clients(_ server: LoopbackServer, _ names: String...) async throws -> [LiveClient] {
    var result: [LiveClient] = []
    for name in names {
      let client = try LiveClient(name, at: server, resource: "home")
      await client.login()
      #expect(client.jid != nil, "\(client.end?.text ?? "")")
      result.append(client)
    }
    return result
  }

  private static func presence(_ type: String?) -> @LoopActor (Element) -> Bool {
    { $0.name == "presence" && $0.attribute("from") == "joe@localhost/home" && $0.attribute("type") == type }
  }

  @Test("Joe hides, shows himself to one, and the recorder sees it: what is expected comes, what is forbidden does not")
  @LoopActor func story() async throws {
    let server = try Self.server()
    defer { server.stop() }
    let clients = try await Self.clients(server, "rynok", "stpeter", "joe")
    for client in clients.dropLast() { try client.say("<presence/>") }
    let joe = clients[2]
    try joe.say("<presence type='invisible'/>")
    try joe.say("<presence to='rynok@localhost' type='visible'/>")
    try joe.say("<presence><show>xa</show></presence>")
    try await server.recorder.expect("joe's xa", to: Self.account("rynok")) {
      $0.child("show", "jabber:client")?.text == "xa"
    }
    try await server.recorder.forbid("joe's presence", to: Self.account("stpeter"), Self.presence(nil))
    joe.close()
    try await server.recorder.expect("joe's end", to: Self.account("rynok"), Self.presence("unavailable"))
    try await server.recorder.forbid(
      "joe's end", to: Self.account("stpeter"), fencing: clients.prefix(2).compactMap(\.jid),
      Self.presence("unavailable"))
  }

  @Test("The recorder fails a test: for what did not come, for what came, and where nobody answers the fence")
  @LoopActor func failures() async throws {
    let server = try Self.server()
    defer { server.stop() }
    let clients = try await Self.clients(server, "rynok", "joe")
    for client in clients { try client.say("<presence/>") }
    let rynok = try Self.account("rynok")
    try await server.recorder.expect("joe's presence", to: rynok, Self.presence(nil))
    await #expect(throws: LoopbackRecorder.Failure.self) {
      try await server.recorder.forbid("joe's presence", to: rynok, Self.presence(nil))
    }
    await #expect(throws: LoopbackRecorder.Failure.self) {
      try await server.recorder.expect("joe's end", to: rynok, within: .milliseconds(10), Self.presence("unavailable"))
    }
    await #expect(throws: LoopbackRecorder.Failure.self) {
      try await server.recorder.forbid(
        "anything", to: rynok, since: server.recorder.count, fencing: [try FullJID("nobody@localhost/home")]
      ) { _ in true }
    }
    try await server.recorder.forbid("anything new", to: rynok, since: server.recorder.count) { _ in true }
  }

  @Test("The recorder forgets the oldest, and does not prove anything about what it has forgotten")
  @LoopActor func forgetting() async throws {
    let server = try Self.server { $0.recordedStanzas = 4 }
    defer { server.stop() }
    let client = try await Self.clients(server, "joe")[0]
    for _ in 0..<10 { try client.say("<presence/>") }
    #expect(await server.fence())
    #expect(server.recorder.count == 10)
    #expect(server.recorder.entries.count <= 4)
    let joe = try Self.account("joe")
    await #expect(throws: LoopbackRecorder.Failure.self) {
      try await server.recorder.forbid("messages", to: joe) { $0.name == "message" }
    }
    try await server.recorder.forbid("messages", to: joe, since: 9) { $0.name == "message" }
  }

  @Test("A session that is cut is gone on with, and has all that was said meanwhile; contacts see no end")
  @LoopActor func resumption() async throws {
    let server = try Self.server()
    defer { server.stop() }
    let clients = try await Self.clients(server, "rynok", "joe")
    for client in clients { try client.say("<presence/>") }
    #expect(await server.fence())
    let jid = try #require(clients[1].jid)
    server.cut(jid)
    await clients[1].wait { $0.end != nil }
    let start = server.recorder.count
    try clients[0].say("<message to='joe@localhost'><body>hi</body></message>")
    try await server.recorder.expect("the message", to: .session(jid), since: start) { $0.name == "message" }
    let again = try LiveClient("joe", at: server, resumption: clients[1].resumption)
    await again.login()
    #expect(again.isResumed)
    try await server.recorder.forbid(
      "joe's end", to: Self.account("rynok"), since: start, Self.presence("unavailable"))
  }

  @Test("Nobody gets in with a wrong password; a second session of the same name ends the first")
  @LoopActor func logins() async throws {
    let server = try Self.server()
    defer { server.stop() }
    let wrong = try LiveClient("joe", at: server, password: "wrong")
    await wrong.login()
    #expect(wrong.end?.code == .authentication)
    let first = try await Self.clients(server, "joe")[0]
    _ = try await Self.clients(server, "joe")
    await first.wait { $0.end != nil }
    #expect(server.sessions.count == 1)
  }

  @Test("It stops and starts again with what its accounts have; a crash says nothing to anybody")
  @LoopActor func restart() async throws {
    let server = try Self.server()
    let client = try await Self.clients(server, "joe")[0]
    try client.say(
      "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='new@localhost'/></query></iq>")
    try await server.recorder.expect("the answer", to: Self.account("joe")) { $0.attribute("id") == "1" }
    let certificate = server.certificate
    server.crash()
    await client.wait { $0.end != nil }
    #expect(server.sessions.isEmpty && server.port == 0)
    try server.start()
    #expect(server.certificate == certificate)
    let again = try await Self.clients(server, "joe")[0]
    try again.say("<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>")
    try await server.recorder.expect("the roster", to: Self.account("joe")) {
      $0.attribute("id") == "2" && $0.serialized().contains("new@localhost")
    }
    server.stop()
    await again.wait { $0.end != nil }
    #expect(server.sessions.isEmpty)
  }

  @Test("What would be a slip is refused: an address that others reach, a domain or accounts that cannot be")
  @LoopActor func refused() throws {
    for change in [
      { $0.host = "0.0.0.0" }, { $0.host = "localhost" }, { $0.domain = "a@b" }, { $0.domain = "other.example" },
      { $0.components = [LoopbackComponent(domain: "localhost", secret: "x")] },
      { $0.components = [LoopbackComponent(domain: "plays.localhost", secret: "")] },
    ] as [(inout LoopbackConfiguration) -> Void] {
      #expect(throws: LoopbackError.self) { try Self.server(change) }
    }
  }

  @Test("It holds many sessions at once, all of which see one come and go")
  @LoopActor func many() async throws {
    // Both ends of each connection are in this process.
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, 8192)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let names = (0..<99).map { "user\($0)" }
    let server = try Self.server { configuration in
      configuration.offersTLS = false
      configuration.mechanisms = [.scramSHA1]
      let star = names.compactMap { try? LoopbackContact(BareJID("\($0)@localhost")) }
      configuration.users = names.compactMap { name in
        guard let jid = try? BareJID("\(name)@localhost"), let joe = try? BareJID("joe@localhost") else { return nil }
        return LoopbackUser(jid, password: "secret", roster: [LoopbackContact(joe)])
      }
      if let joe = try? BareJID("joe@localhost") {
        configuration.users.append(LoopbackUser(joe, password: "secret", roster: star))
      }
    }
    defer { server.stop() }
    let clients = try names.map { try LiveClient($0, at: server, resource: "home") }
    // Not all at once: a listener's queue is not that long.
    for start in stride(from: 0, to: clients.count, by: 100) {
      let some = clients[start..<min(start + 100, clients.count)]
      for client in some { client.open() }
      for client in some { await client.wait { $0.jid != nil || $0.end != nil } }
      for client in some { try client.say("<presence/>") }
    }
    let joe = try await Self.clients(server, "joe")[0]
    #expect(server.sessions.count == 100)
    try joe.say("<presence/>")
    #expect(await server.fence(within: .seconds(60)))
    joe.close()
    await joe.wait { $0.end != nil }
    #expect(await server.fence(within: .seconds(60)))
    for name in names {
      let seen = server.recorder.received(by: try Self.account(name)).filter {
        $0.attribute("from") == "joe@localhost/home"
      }
      #expect(seen.map { $0.attribute("type") } == [nil, "unavailable"])
    }
  }
}
