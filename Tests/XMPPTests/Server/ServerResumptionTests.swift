// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XML

@testable import XMPP

@Suite("Sessions that outlive their connection", .timeLimit(.minutes(1)))
struct ServerResumptionTests {
  init() { EventLoop.runInBackground() }

  @Test("After a cut the session goes on: nothing is lost, nothing doubled")
  @LoopActor func resumed() async throws {
    let service = try TestService()
    let relay = Relay(to: service.listener.port)
    let (client, watcher, found) = try await service.boundClient(port: relay.port)
    let watched = try #require(found)
    watched.stream.send(message("s0"))
    client.send(message("c0"), isMeant: true)
    await watcher.wait { $0.bodies.count == 1 }
    await service.wait { _ in watched.stanzas.count == 1 }
    relay.cut()
    await service.wait { _ in watched.stream.isSuspended }
    await watcher.wait { $0.end != nil }
    watched.stream.send(message("s1"))
    watched.stream.send(message("s2"))
    let resumption = try #require(watcher.resumption)
    let (again, second) = try service.client(port: relay.port, resumption: resumption)
    again.open()
    await second.wait { $0.isResumed || $0.end != nil }
    #expect(second.isResumed, "\(second.end?.text ?? "")")
    await second.wait { $0.bodies.count >= 2 }
    again.send(message("c1"), isMeant: true)
    watched.stream.send(message("s3"))
    await service.wait { _ in watched.stanzas.count >= 2 }
    await second.wait { $0.bodies.count >= 3 }
    #expect(second.bodies == ["s1", "s2", "s3"])
    #expect(watched.stanzas.map(\.body) == ["c0", "c1"])
    #expect(second.lost?.isEmpty == true)
    #expect(
      watched.told == ["bound juliet@localhost", "stanza", "suspended", "resumed", "stanza"])
    // The stream that brought the client back is over, and was never a session.
    #expect(service.accepted.last?.told == ["ended"])
    #expect(service.streams.all.count == 1)
    again.close()
    await service.wait { _ in watched.isOver }
    #expect(watched.unacknowledged.isEmpty)
  }

  @Test("A client may come back before the server has noticed that its connection is dead")
  @LoopActor func stillConnected() async throws {
    let service = try TestService()
    let relay = Relay(to: service.listener.port)
    let (client, watcher, found) = try await service.boundClient(port: relay.port)
    let watched = try #require(found)
    watched.stream.send(message("s0"))
    await watcher.wait { $0.bodies.count == 1 }
    let resumption = try #require(client.bound?.resumption(at: .now))
    let (again, second) = try service.client(resumption: resumption)
    again.open()
    await second.wait { $0.isResumed || $0.end != nil }
    watched.stream.send(message("s1"))
    await second.wait { $0.bodies.count == 1 }
    #expect(second.bodies.first == "s1")
    #expect(watched.told == ["bound juliet@localhost", "resumed"])
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .streamError(.conflict))
  }

  @Test("When the time is over the session is, with what its client has missed; and it is said how much it had had")
  @LoopActor func expired() async throws {
    let time = ManualTime()
    let service = try TestService(time: time) { $0.resumptionTime = .seconds(60) }
    let relay = Relay(to: service.listener.port)
    let (client, watcher, found) = try await service.boundClient(port: relay.port)
    let watched = try #require(found)
    client.send(message("c0"), isMeant: true)
    await service.wait { _ in watched.stanzas.count == 1 }
    relay.cut()
    await service.wait { _ in watched.stream.isSuspended }
    await watcher.wait { $0.end != nil }
    watched.stream.send(message("s0"))
    time.advance(by: .milliseconds(59_999))
    #expect(!watched.isOver)
    time.advance(by: .milliseconds(1))
    #expect(watched.isOver)
    #expect(watched.unacknowledged.map(\.body) == ["s0"])
    let resumption = try #require(watcher.resumption)
    #expect(resumption.lifetime == .seconds(60))
    #expect(!resumption.unacknowledged.isEmpty)
    let (again, second) = try service.client(resumption: resumption)
    again.open()
    await second.wait { $0.bound != nil || $0.end != nil }
    #expect(second.bound != nil)
    #expect(!second.isResumed)
    #expect(second.lost?.isEmpty == true, "the server says that it had it")
  }

  @Test("Nobody comes back to a session of somebody else")
  @LoopActor func foreign() async throws {
    let service = try TestService()
    let (_, _, found) = try await service.boundClient()
    let watched = try #require(found)
    let id = try #require(watched.stream.resumptionID)
    #expect(service.streams.session(id, of: try BareJID("juliet@localhost")) === watched.stream)
    #expect(service.streams.session(id, of: try BareJID("romeo@localhost")) == nil)
  }

  @Test("A client that stays away too long misses no more than the limit, then its session is over")
  @LoopActor func tooMuch() async throws {
    // The fence counts.
    let service = try TestService { $0.limits.unacknowledgedStanzas = 6 }
    let (_, _, found) = try await service.boundClient()
    let watched = try #require(found)
    watched.stream.cut()
    #expect(watched.told.last == "suspended")
    for index in 0..<6 {
      watched.stream.send(message("s\(index)"))
      #expect(!watched.isOver, "nothing is told within the call")
    }
    await service.wait { _ in watched.isOver }
    #expect(watched.unacknowledged.count == 6)
    #expect(service.streams.all.isEmpty)
  }

  @Test("Without stream management a cut ends the session")
  @LoopActor func notCounted() async throws {
    let service = try TestService { $0.resumptionTime = nil }
    let (_, watcher, found) = try await service.boundClient()
    let watched = try #require(found)
    watched.stream.cut()
    #expect(watched.told == ["bound juliet@localhost", "ended"])
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .network)
    #expect(watcher.resumption == nil)
  }
}
