// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Support
import TLS
import Testing

@testable import Network

@Suite("Questions to DNS", .timeLimit(.minutes(1)))
struct DNSChannelTests {
  init() { EventLoop.runInBackground() }

  @LoopActor private func channel(
    _ stub: DNSStub, time: any TimeSource = ManualTime(), firstTry milliseconds: Int32 = DNSChannel.firstTryMilliseconds
  ) async throws -> DNSChannel {
    try await DNSChannel.open(
      LookupSettings(servers: [try #require(LookupSettings.server(stub.address))]), time: time,
      firstTryMilliseconds: milliseconds)
  }

  @Test("SRV records come with all that they say")
  @LoopActor func services() async throws {
    let stub = try DNSStub()
    stub.set(
      "xmpp-client", of: "example.org",
      [
        .init("a.example.org", port: 5222, priority: 1, weight: 2), .init(".", port: 0),
        .init("b.example.org", port: 65_535, priority: 65_535, weight: 65_535),
      ])
    let channel = try await channel(stub)
    defer { channel.close() }
    let records = try await channel.services("_xmpp-client._tcp.example.org").get()
    #expect(
      Set(records) == [
        try #require(ServiceRecord(host: "a.example.org", port: 5222, priority: 1, weight: 2)),
        try #require(ServiceRecord(host: "", port: 0, priority: 0, weight: 0)),
        try #require(ServiceRecord(host: "b.example.org", port: 65_535, priority: 65_535, weight: 65_535)),
      ])
  }

  @Test("Addresses come with the port, family by family")
  @LoopActor func addresses() async throws {
    let stub = try DNSStub()
    stub.set("a.example.org", .a, .addresses(["192.0.2.1", "192.0.2.2"]))
    stub.set("a.example.org", .aaaa, .addresses(["2001:db8::1"]))
    let channel = try await channel(stub)
    defer { channel.close() }
    let v4 = try await channel.addresses(of: "a.example.org", port: 5222, family: .v4).get()
    #expect(Set(v4.map(\.description)) == ["192.0.2.1:5222", "192.0.2.2:5222"])
    let v6 = try await channel.addresses(of: "a.example.org", port: 99, family: .v6).get()
    #expect(v6.map(\.description) == ["[2001:db8::1]:99"])
    #expect(Set(stub.questions) == ["a a.example.org", "aaaa a.example.org"], "it asked for something else")
  }

  @Test("What is too long for a datagram comes over TCP, and only so much of it is kept")
  @LoopActor func long() async throws {
    let stub = try DNSStub()
    stub.set("xmpp-client", of: "example.org", (0..<200).map { .init("h\($0).example.org", port: 5222) })
    stub.set("a.example.org", .a, .addresses((0..<200).map { "192.0.2.\($0)" }))
    // Three round trips: other tests may hold the loop between them.
    let channel = try await channel(stub, firstTry: 20_000)
    defer { channel.close() }
    let records = try await channel.services("_xmpp-client._tcp.example.org").get()
    #expect(records.count == ServerPlan.mostRecords)
    let addresses = try await channel.addresses(of: "a.example.org", port: 1, family: .v4).get()
    #expect(addresses.count == 2 * ConnectionRace.mostAddresses)
    #expect(stub.questionsOverTCP == 2)
  }

  @Test(
    "Each failure is told as what it is",
    arguments: [
      (DNSStub.Answer.noSuchName, LookupError.noSuchName), (.services([]), .noRecords), (.serverFailure, .unreachable),
      (.refused, .unreachable), (.records([1, 2, 3], count: 3), .malformed), (.garbage(withID: true), nil),
      // A record that says it is longer than the message.
      (.records([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0xff, 0xff, 0, 0], count: 1), .malformed),
      // A name that points at itself: the message's question is 46 bytes long.
      (.records([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 8, 0, 0, 0, 0, 0, 1, 0xc0, 64], count: 1), .malformed),
    ] as [(DNSStub.Answer, LookupError?)])
  @LoopActor func failures(answer: DNSStub.Answer, error: LookupError?) async throws {
    let stub = try DNSStub()
    stub.set("_xmpp-client._tcp.example.org", .srv, answer)
    let channel = try await channel(stub)
    defer { channel.close() }
    let failure = await channel.services("_xmpp-client._tcp.example.org")
    guard case .failure(let told) = failure else {
      Issue.record("that was taken for an answer")
      return
    }
    // Releases of c-ares differ here.
    if let error { #expect(told == error || (told, error) == (.serverFailed, .unreachable)) }
  }

  @Test("Names that no host can have are no records")
  @LoopActor func names() async throws {
    let stub = try DNSStub()
    stub.set("xmpp-client", of: "example.org", [.init("a b", port: 1), .init("\u{1b}[31m", port: 1)])
    let channel = try await channel(stub)
    defer { channel.close() }
    #expect(await channel.services("_xmpp-client._tcp.example.org") == .failure(.malformed))
  }

  @Test("An answer to another question is not taken")
  @LoopActor func forged() async throws {
    let stub = try DNSStub()
    let time = ManualTime()
    stub.set("_xmpp-client._tcp.example.org", .srv, .garbage(withID: false))
    let channel = try await channel(stub, time: time)
    defer { channel.close() }
    let question = spawn {
      #expect(await channel.services("_xmpp-client._tcp.example.org") == .failure(.timedOut))
    }
    await settle { time.pendingTimers == 1 && !stub.questions.isEmpty }
    time.advance(by: DNSChannel.limit)
    await question.value
  }

  @Test("A server that says nothing is given up after four seconds, and not before")
  @LoopActor func silence() async throws {
    let stub = try DNSStub()
    let time = ManualTime()
    stub.set("a.example.org", .a, .silence)
    let channel = try await channel(stub, time: time)
    defer { channel.close() }
    let question = spawn {
      let answer = await channel.addresses(of: "a.example.org", port: 1, family: .v4)
      #expect(answer == .failure(.timedOut))
    }
    await settle { time.pendingTimers == 1 && !stub.questions.isEmpty }
    time.advance(by: .milliseconds(3999))
    #expect(time.pendingTimers == 1)
    time.advance(by: .milliseconds(1))
    await question.value
    #expect(time.pendingTimers == 0)
  }

  @Test("Closing ends what is under way, and what is asked later")
  @LoopActor func closing() async throws {
    let stub = try DNSStub()
    stub.set("a.example.org", .a, .silence)
    let channel = try await channel(stub, time: ManualTime())
    let question = spawn {
      let answer = await channel.addresses(of: "a.example.org", port: 1, family: .v4)
      #expect(answer == .failure(.cancelled))
    }
    await settle { !stub.questions.isEmpty }
    channel.close()
    channel.close()
    await question.value
    #expect(await channel.services("a.example.org") == .failure(.cancelled))
  }

  @Test("The second server is asked where the first says nothing")
  @LoopActor func secondServer() async throws {
    let (dead, alive) = (try DNSStub(), try DNSStub())
    dead.set("a.example.org", .a, .silence)
    alive.set("a.example.org", .a, .addresses(["192.0.2.1"]))
    let servers = try [dead, alive].map { try #require(LookupSettings.server($0.address)) }
    let channel = try await DNSChannel.open(LookupSettings(servers: servers), time: ManualTime())
    defer { channel.close() }
    let addresses = try await channel.addresses(of: "a.example.org", port: 1, family: .v4).get()
    #expect(addresses.map(\.description) == ["192.0.2.1:1"])
    #expect(!dead.questions.isEmpty)
  }

  @Test("The hosts file comes before DNS, for both families")
  @LoopActor func hostsFile() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("hosts")
    let file = try #require(fopen(path, "we"))
    fputs("2001:db8::7 cat.example.org mat\n192.0.2.7 cat.example.org\n", file)
    fclose(file)
    setenv("CARES_HOSTS", path, 1)
    defer { unsetenv("CARES_HOSTS") }
    let addresses = await HostsFile.addresses(of: "cat.example.org", port: 7)
    #expect(Set(addresses.map(\.description)) == ["[2001:db8::7]:7", "192.0.2.7:7"])
    #expect(await HostsFile.addresses(of: "dog.example.org", port: 7).isEmpty)
  }

  @Test("What this machine knows of itself is not asked of DNS")
  @LoopActor func localhost() async {
    for name in ["localhost", "LOCALHOST", "a.b.localhost"] {
      let addresses = await HostsFile.addresses(of: name, port: 7)
      #expect(addresses.map(\.description) == ["[::1]:7", "127.0.0.1:7"])
    }
  }
}

/// Waits until `condition` holds, letting everything else on the loop go on. A test that waits in vain ends by its limit.
@LoopActor
func settle(until condition: () -> Bool) async {
  while !condition() { await EventLoop.shared.time.wait(for: .milliseconds(1)) }
}
