// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Support
import TLS
import Testing

@testable import Network

@Suite("Finding a server", .timeLimit(.minutes(1)))
struct ServerFinderTests {
  init() { EventLoop.runInBackground() }

  /// A search, and what it has told of its steps.
  @LoopActor private final class Search {
    let finder: ServerFinder
    private(set) var steps: [String] {
      get { log.steps }
      set { log.steps = newValue }
    }
    private let log: Log
    private let stub: DNSStub?

    @LoopActor private final class Log { var steps: [String] = [] }

    init(_ wanted: WantedServer, _ stub: DNSStub? = nil, time: any TimeSource = ManualTime()) {
      let log = Log()
      self.log = log
      self.stub = stub
      let servers = stub.flatMap { LookupSettings.server($0.address) }.map { [$0] } ?? []
      finder = ServerFinder(wanted, lookups: LookupSettings(servers: servers), time: time) { step in
        switch step {
        case .lookingUp(let domain): log.steps.append("look up \(domain)")
        case .connecting(let host, let address): log.steps.append("\(host) \(address)")
        }
      }
    }

    isolated deinit { finder.stop() }
  }

  private let wanted = WantedServer(domain: "example.org")

  @Test("By SRV records, and an address of the host that they name")
  @LoopActor func found() async throws {
    let (stub, listener) = (try DNSStub(), LoopbackListener())
    stub.set("xmpps-client", of: "example.org", [.init("a.example.org", port: listener.port)])
    stub.set("a.example.org", .a, .addresses(["127.0.0.1"]))
    let search = Search(wanted, stub)
    let found = try await search.finder.next()
    #expect(found.host == "a.example.org")
    #expect(found.address.description == "127.0.0.1:\(listener.port)")
    #expect(found.isDirect)
    #expect(search.steps == ["look up example.org", "a.example.org 127.0.0.1:\(listener.port)"])
    await settle { listener.connections == 1 }
    #expect(
      Set(stub.questions) == [
        "srv _xmpp-client._tcp.example.org", "srv _xmpps-client._tcp.example.org", "a a.example.org",
        "aaaa a.example.org",
      ])
    found.transport.close()
  }

  @Test("The next host where one refuses, or is not there")
  @LoopActor func refused() async throws {
    let (stub, deaf, listener) = (try DNSStub(), LoopbackListener(.refuses), LoopbackListener())
    stub.set(
      "xmpp-client", of: "example.org",
      [
        .init("gone.example.org", port: 1, priority: 1), .init("deaf.example.org", port: deaf.port, priority: 2),
        .init("a.example.org", port: listener.port, priority: 3),
      ])
    stub.set("deaf.example.org", .a, .addresses(["127.0.0.1"]))
    stub.set("a.example.org", .a, .addresses(["127.0.0.1"]))
    let search = Search(wanted, stub)
    let found = try await search.finder.next()
    #expect(found.host == "a.example.org")
    #expect(!found.isDirect)
    #expect(search.finder.failureCount == 2)
    found.transport.close()
  }

  @Test("One that swallows everything gets company after a quarter of a second, and is called off")
  @LoopActor func swallowed() async throws {
    let (hole, listener) = (LoopbackListener(.swallows), LoopbackListener())
    let stub = try DNSStub()
    stub.set(
      "xmpp-client", of: "example.org",
      [.init("hole.localhost", port: hole.port, priority: 1), .init("a.localhost", port: listener.port, priority: 2)])
    let time = ManualTime()
    let search = Search(wanted, stub, time: time)
    let waiting = spawn {
      let found = try? await search.finder.next()
      #expect(found?.host == "a.localhost")
      found?.transport.close()
    }
    // IPv6 is refused, or there is none.
    await settle { search.steps.last == "hole.localhost 127.0.0.1:\(hole.port)" }
    time.advance(by: .milliseconds(249))
    #expect(search.steps.last == "hole.localhost 127.0.0.1:\(hole.port)")
    #expect(search.finder.soFar.contains("hole.localhost (127.0.0.1:\(hole.port)): no answer yet"))
    time.advance(by: .milliseconds(1))
    await waiting.value
    #expect(!search.finder.soFar.contains("no answer yet"), "the other attempt goes on")
  }

  @Test("After one of no use the next, and in the end an error that names all of them")
  @LoopActor func rejected() async throws {
    let (stub, deaf, one, two) = (
      try DNSStub(), LoopbackListener(.refuses), LoopbackListener(), LoopbackListener()
    )
    stub.set(
      "xmpp-client", of: "example.org",
      [
        .init("one.example.org", port: one.port, priority: 1), .init("deaf.example.org", port: deaf.port, priority: 2),
        .init("two.example.org", port: two.port, priority: 3), .init("gone.example.org", port: 1, priority: 4),
        .init("broken.example.org", port: 1, priority: 5), .init("bare.example.org", port: 1, priority: 6),
      ])
    stub.set("_xmpps-client._tcp.example.org", .srv, .serverFailure)
    for host in ["one", "deaf", "two"] { stub.set("\(host).example.org", .a, .addresses(["127.0.0.1"])) }
    for kind in [DNSStub.Kind.a, .aaaa] {
      stub.set("broken.example.org", kind, .serverFailure)
      stub.set("bare.example.org", kind, .addresses([]))
    }
    let search = Search(wanted, stub)
    let first = try await search.finder.next()
    #expect(first.host == "one.example.org")
    #expect(search.finder.hasOthers)
    first.transport.close()
    search.finder.reject("It speaks in riddles.")
    let second = try await search.finder.next()
    #expect(second.host == "two.example.org")
    second.transport.close()
    search.finder.reject("It says nothing.")
    let error = await #expect(throws: ServerError.self) { try await search.finder.next() }
    #expect(error?.code == .network)
    let text = error?.description ?? ""
    for part in [
      "the server of example.org", "_xmpps-client._tcp.example.org: no DNS server",
      "one.example.org (127.0.0.1:\(one.port)): It speaks in riddles;",
      "deaf.example.org: cannot connect to 127.0.0.1:\(deaf.port): Connection refused",
      "two.example.org (127.0.0.1:\(two.port)): It says nothing",
      "gone.example.org: there is no such name in DNS", "broken.example.org: no DNS server",
      "bare.example.org: it has no address in DNS",
    ] {
      #expect(text.contains(part), "\(part) is missing in: \(text)")
    }
    #expect(!search.finder.hasOthers)
  }

  @Test("Without TLS other machines are not connected to")
  @LoopActor func otherMachine() async throws {
    let stub = try DNSStub()
    stub.set("example.org", .a, .addresses(["192.0.2.1"]))
    stub.set("example.org", .aaaa, .addresses(["2001:db8::1"]))
    for server in [nil, "192.0.2.7", "::ffff:192.0.2.7"] {
      let search = Search(WantedServer(domain: "example.org", server: server, protection: .none), stub)
      let error = await #expect(throws: ServerError.self) { try await search.finder.next() }
      #expect(error?.code == .notThisMachine)
      #expect(search.steps.isEmpty, "it tried to")
    }
  }

  @Test("Where DNS says nothing about the service, it is the domain itself")
  @LoopActor func silentRecords() async throws {
    let (stub, time) = (try DNSStub(), ManualTime())
    stub.set("_xmpp-client._tcp.example.org", .srv, .silence)
    stub.set("_xmpps-client._tcp.example.org", .srv, .silence)
    stub.set("example.org", .a, .addresses(["127.86.17.3"]))
    let search = Search(wanted, stub, time: time)
    let waiting = spawn { (try? await search.finder.next())?.transport.close() }
    await settle { time.pendingTimers == 2 && stub.questions.count >= 2 }
    #expect(search.finder.soFar.contains("_xmpp-client._tcp.example.org: no answer from DNS yet"))
    time.advance(by: DNSChannel.limit)
    await settle { search.steps.count > 1 }
    #expect(search.steps == ["look up example.org", "example.org 127.86.17.3:5222"])
    search.finder.stop()
    await waiting.value
  }

  @Test("Nobody answering at all is told as that")
  @LoopActor func silence() async throws {
    let (stub, time) = (try DNSStub(), ManualTime())
    stub.set("example.org", .a, .silence)
    stub.set("example.org", .aaaa, .silence)
    let search = Search(WantedServer(domain: "example.org", port: 5222), stub, time: time)
    let waiting = spawn {
      let error = await #expect(throws: ServerError.self) { try await search.finder.next() }
      #expect(error?.code == .timedOut)
      #expect(error?.description.contains("example.org: no DNS server answered in time") == true)
    }
    // The two questions, and the patience of the race.
    await settle { time.pendingTimers == 3 && stub.questions.count >= 2 }
    time.advance(by: DNSChannel.limit)
    await waiting.value
    #expect(time.pendingTimers == 0)
  }

  /// Where a search can be.
  enum Stage: CaseIterable { case records, addresses, connecting, between }

  @Test("It can be stopped wherever it is, and leaves nothing behind", arguments: Stage.allCases)
  @LoopActor func stopping(stage: Stage) async throws {
    let (stub, hole, listener) = (try DNSStub(), LoopbackListener(.swallows), LoopbackListener())
    let time = ManualTime()
    let port = stage == .between ? listener.port : hole.port
    stub.set("xmpp-client", of: "example.org", [.init("a.example.org", port: port)])
    stub.set("a.example.org", .a, .addresses(["127.0.0.1"]))
    if stage == .records { stub.set("_xmpp-client._tcp.example.org", .srv, .silence) }
    if stage == .addresses {
      stub.set("a.example.org", .a, .silence)
      stub.set("a.example.org", .aaaa, .silence)
    }
    let search = Search(wanted, stub, time: time)
    if stage == .between {
      let found = try await search.finder.next()
      search.finder.stop()
      await #expect(throws: ServerError.self) { try await search.finder.next() }
      found.transport.close()
    } else {
      let waiting = spawn {
        let error = await #expect(throws: ServerError.self) { try await search.finder.next() }
        #expect(error?.code == .cancelled)
      }
      switch stage {
      case .records, .between: await settle { stub.questions.contains("srv _xmpp-client._tcp.example.org") }
      case .addresses: await settle { stub.questions.contains("a a.example.org") }
      case .connecting: await settle { search.steps.count == 2 }
      }
      search.finder.stop()
      await waiting.value
    }
    #expect(!search.finder.hasOthers)
    await settle { time.pendingTimers == (stage == .between ? 1 : 0) }
  }

  @Test("A port and a host that somebody names are taken as they are, and DNS is left alone")
  @LoopActor func explicit() async throws {
    let (stub, listener) = (try DNSStub(), LoopbackListener())
    for server in ["127.0.0.1", "localhost"] {
      let search = Search(
        WantedServer(domain: "example.org", server: server, port: listener.port, protection: .directTLS), stub)
      let found = try await search.finder.next()
      #expect(found.host == server)
      #expect(found.isDirect)
      found.transport.close()
    }
    #expect(stub.questions.isEmpty)
  }

  @Test("What is no name of a host is not asked about")
  @LoopActor func invalid() async throws {
    let stub = try DNSStub()
    let search = Search(WantedServer(domain: "a..b", server: "a..b"), stub)
    let error = await #expect(throws: ServerError.self) { try await search.finder.next() }
    #expect(error?.description.contains("a..b: there is no such name") == true)
    #expect(stub.questions.isEmpty)
  }
}
