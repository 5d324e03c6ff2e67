// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Testing
import XML

@testable import XMPP

@Suite("The server's end of a stream, with our own client at the other", .timeLimit(.minutes(1)))
struct ServerStreamTests {
  init() { EventLoop.runInBackground() }

  @Test("Every way to log in works, and is the one that the client used", arguments: SASLMechanism.allCases.dropLast())
  @LoopActor func mechanisms(mechanism: SASLMechanism) async throws {
    let service = try TestService { $0.mechanisms = [mechanism] }
    let (client, watcher) = try service.client()
    client.open()
    await watcher.wait { $0.bound != nil || $0.end != nil }
    #expect(watcher.bound == (try FullJID("juliet@localhost/balcony")), "\(watcher.end?.text ?? "")")
    #expect(watcher.steps.contains(.authenticating(mechanism.rawValue)))
    #expect(service.accepted.first?.stream.isSecured == true)
    client.close()
    await service.wait { $0.accepted.first?.isOver == true }
    #expect(service.accepted.first?.told == ["bound juliet@localhost", "ended"])
  }

  @Test("Without TLS SCRAM works where that is allowed")
  @LoopActor func withoutTLS() async throws {
    let service = try TestService {
      $0.tls = nil
      $0.requiresTLS = false
    }
    let (client, watcher) = try service.client(tls: .off)
    client.open()
    await watcher.wait { $0.bound != nil || $0.end != nil }
    #expect(watcher.bound != nil)
    #expect(service.accepted.first?.stream.isSecured == false)
  }

  @Test(
    "Nobody gets in with a wrong password or as somebody who is not there",
    arguments: [SASLMechanism.plain, .scramSHA1, .scramSHA256Plus], [("juliet", "wrong"), ("nobody", "r0m30myr0m30")])
  @LoopActor func refused(mechanism: SASLMechanism, login: (name: String, password: String)) async throws {
    let service = try TestService { $0.mechanisms = [mechanism] }
    let (client, watcher) = try service.client(account: "\(login.name)@localhost", password: login.password)
    client.open()
    await watcher.wait { $0.bound != nil || $0.end != nil }
    #expect(watcher.bound == nil)
    #expect(watcher.end?.code == .authentication)
    await service.wait { $0.accepted.first?.isOver == true }
    #expect(service.accepted.first?.told == ["ended"])
  }

  @Test("A certificate for another domain is not shown for ours")
  @LoopActor func otherDomain() async throws {
    let service = try TestService { $0.domain = "verona.example" }
    let (client, watcher) = try service.client(account: "juliet@verona.example")
    client.open()
    await watcher.wait { $0.bound != nil || $0.end != nil }
    #expect(watcher.end?.code == .certificate)
    await service.wait { $0.accepted.first?.isOver == true }
    #expect(service.streams.all.isEmpty)
  }

  @Test("Stanzas go both ways, in order, as they were said")
  @LoopActor func stanzas() async throws {
    let service = try TestService()
    let (client, watcher, found) = try await service.boundClient()
    let watched = try #require(found)
    for index in 0..<50 {
      client.send(message("c\(index)", to: "romeo@localhost"), isMeant: true)
      watched.stream.send(message("s\(index)"))
    }
    await service.wait { _ in watched.stanzas.count == 50 }
    await watcher.wait { $0.bodies.count == 50 }
    #expect(watched.stanzas.map(\.body) == (0..<50).map { "c\($0)" })
    #expect(watched.stanzas.first?.attribute("to") == "romeo@localhost")
    #expect(watched.stanzas.first?.attribute("from") == nil)
    #expect(watcher.bodies == (0..<50).map { "s\($0)" })
  }

  @Test("A client that has had everything leaves nothing behind when it goes")
  @LoopActor func acknowledged() async throws {
    let service = try TestService()
    let (client, watcher, found) = try await service.boundClient()
    let watched = try #require(found)
    watched.stream.send(message("one"))
    await watcher.wait { !$0.bodies.isEmpty }
    client.close()
    await watcher.wait { $0.end != nil }
    #expect(watched.told == ["bound juliet@localhost", "ended"])
    #expect(watched.unacknowledged.isEmpty)
  }

  @Test("A session whose address another one gets is ended, before the other begins")
  @LoopActor func conflict() async throws {
    let service = try TestService()
    let (_, first, found) = try await service.boundClient()
    let watched = try #require(found)
    let (_, second, other) = try await service.boundClient()
    try #require(watched.isOver)
    await first.wait { $0.end != nil }
    #expect(first.end?.code == .streamError(.conflict))
    #expect(second.bound == first.bound)
    #expect(other?.told == ["bound juliet@localhost"])
    #expect(service.streams.all.count == 1)
  }

  @Test("The server says why it ends a stream")
  @LoopActor func closing() async throws {
    let service = try TestService()
    let (_, watcher, found) = try await service.boundClient()
    let watched = try #require(found)
    watched.stream.send(message("the last"))
    service.streams.close()
    #expect(watched.isOver, "the end is told within the call")
    #expect(watched.unacknowledged.map(\.body) == ["the last"])
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .streamError(.systemShutdown))
    #expect(watcher.bodies == ["the last"])
    #expect(service.streams.all.isEmpty)
  }

  @Test("Many sessions on one loop")
  @LoopActor func many() async throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 8192))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let service = try TestService {
      $0.tls = nil
      $0.requiresTLS = false
      $0.mechanisms = [.scramSHA1]
    }
    var clients: [(ClientStream, StreamWatcher)] = []
    for _ in 0..<100 {
      let made = try service.client(tls: .off, resource: nil)
      clients.append(made)
      made.0.open()
    }
    for (_, watcher) in clients {
      await watcher.wait { $0.bound != nil || $0.end != nil }
      try #require(watcher.bound != nil, "\(watcher.end?.text ?? "")")
    }
    for stream in service.streams.all { stream.send(message("to all")) }
    for (_, watcher) in clients { await watcher.wait { !$0.stanzas.isEmpty } }
    #expect(service.streams.all.count == 100)
    service.streams.close()
    for (_, watcher) in clients { await watcher.wait { $0.end != nil } }
  }

  @Test("A port that is taken is told of, and what is no address")
  @LoopActor func listening() throws {
    let service = try TestService()
    #expect(throws: (any Error).self) {
      try ServerListener(host: "127.0.0.1", port: service.listener.port, streams: service.streams)
    }
    #expect(throws: (any Error).self) { try ServerListener(host: "nowhere", port: 0, streams: service.streams) }
  }
}
