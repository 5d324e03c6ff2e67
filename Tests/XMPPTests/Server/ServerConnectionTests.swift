// SPDX-License-Identifier: Apache-2.0

import Crypto
import EventLoop
import Testing
import XML

@testable import XMPP

@Suite("Whatever comes to a server's port", .timeLimit(.minutes(1)))
struct ServerConnectionTests {
  init() { EventLoop.runInBackground() }

  private static let illegible: [(String, String)] = [
    ("GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
    ("\(RawPeer.header())<a></b>", "not-well-formed"),
    ("\(RawPeer.header())<!-- -->", "restricted-xml"),
    ("\(RawPeer.header())<?php?>", "restricted-xml"),
    ("\(RawPeer.header())text<", "bad-format"),
    ("\(RawPeer.header())<a:b/>", "bad-namespace-prefix"),
    (RawPeer.header(to: "verona.lit"), "host-unknown"),
    (RawPeer.header(version: ""), "unsupported-version"),
    (RawPeer.header(namespace: "jabber:server"), "invalid-namespace"),
    ("\(RawPeer.header())<message/>", "not-authorized"),
    ("\(RawPeer.header())\(String(repeating: " ", count: 70_000))", "policy-violation"),
    ("\(RawPeer.header())\(ServerScript.starttls)<message/>", "policy-violation"),
    ("\(RawPeer.header())\(ServerScript.starttls)\n", "policy-violation"),
  ]

  @Test("What cannot be read is answered with what it is", arguments: illegible)
  @LoopActor func unreadable(text: String, condition: String) async throws {
    let service = try TestService()
    let peer = try await RawPeer(port: service.listener.port)
    peer.send(text)
    await peer.wait { $0.isClosed }
    #expect(peer.received.hasPrefix("<?xml version='1.0'?><stream:stream xmlns='jabber:client' "))
    #expect(peer.received.hasSuffix(ServerScript.error(condition)), "\(peer.received)")
    #expect(!peer.received.contains("<proceed"))
    #expect(service.accepted.first?.told == ["ended"])
    #expect(service.streams.all.isEmpty)
  }

  @Test("Whoever does not log in has thirty seconds")
  @LoopActor func silence() async throws {
    let time = ManualTime()
    let service = try TestService(time: time)
    let peer = try await RawPeer(port: service.listener.port)
    peer.send(RawPeer.header())
    await peer.wait { $0.received.contains("</stream:features>") }
    time.advance(by: .milliseconds(29_999))
    #expect(service.accepted.first?.told == [])
    time.advance(by: .milliseconds(1))
    await peer.wait { $0.received.hasSuffix(ServerScript.error("connection-timeout")) }
    #expect(service.accepted.first?.told == ["ended"])
  }

  @Test("No more than so many may be on their way in, and then they may come again")
  @LoopActor func crowd() async throws {
    let service = try TestService { $0.limits.loginStreams = 2 }
    let first = try await RawPeer(port: service.listener.port)
    let second = try await RawPeer(port: service.listener.port)
    await service.wait { $0.accepted.count == 2 }
    let third = try await RawPeer(port: service.listener.port)
    await third.wait { $0.isClosed }
    #expect(third.received.isEmpty)
    #expect(service.accepted.count == 2)
    first.send("</stream:stream>")
    second.send("</stream:stream>")
    await service.wait { $0.accepted.contains(where: \.isOver) }
    let fourth = try await RawPeer(port: service.listener.port)
    fourth.send(RawPeer.header())
    await fourth.wait { $0.received.contains("</stream:features>") }
  }

  @Test("A session takes one place for good, and none of those on their way in")
  @LoopActor func sessions() async throws {
    let service = try TestService {
      $0.limits.loginStreams = 1
      $0.limits.streams = 2
    }
    let (client, _, found) = try await service.boundClient()
    _ = try #require(found)
    let peer = try await RawPeer(port: service.listener.port)
    peer.send(RawPeer.header())
    await peer.wait { $0.received.contains("</stream:features>") }
    let other = try await RawPeer(port: service.listener.port)
    await other.wait { $0.isClosed }
    client.close()
    await service.wait { _ in found?.isOver == true }
    #expect(service.streams.all.count == 1)
  }

  @Test("A component gets in, and speaks a namespace of its own")
  @LoopActor func component() async throws {
    let service = try TestService()
    let (peer, watched) = try await joinComponent(service)
    #expect(watched.told == ["component plays.localhost"])
    peer.send("<message from='hamlet@plays.localhost' to='juliet@localhost'><body>words</body></message>")
    await service.wait { _ in watched.stanzas.count == 1 }
    #expect(watched.stanzas.first?.body == "words")
    #expect(watched.stanzas.first?.matches("message", "jabber:client") == true)
    watched.stream.send(message("more words", to: "hamlet@plays.localhost"))
    await peer.wait { $0.received.hasSuffix("</message>") }
    #expect(peer.received.hasSuffix("<message to='hamlet@plays.localhost'><body>more words</body></message>"))
    peer.send("<message from='hamlet@elsinore.localhost'/>")
    await peer.wait { $0.isClosed }
    #expect(peer.received.hasSuffix(ServerScript.error("invalid-from")))
    #expect(watched.told.last == "ended")
  }

  @LoopActor private func joinComponent(_ service: TestService) async throws -> (RawPeer, TestService.Watched) {
    let peer = try await RawPeer(port: service.listener.port)
    peer.send(RawPeer.header(to: "plays.localhost", namespace: "jabber:component:accept", version: ""))
    await peer.wait { $0.received.contains("id='") && $0.received.hasSuffix(">") }
    #expect(peer.received.contains("xmlns='jabber:component:accept'"))
    let id = peer.received.split(separator: "id='").last?.split(separator: "'").first ?? ""
    peer.send("<handshake>\(Hex.encode(Digest.sha1("\(id)secret".utf8)))</handshake>")
    await peer.wait { $0.received.hasSuffix("<handshake/>") || $0.isClosed }
    await service.wait { $0.accepted.last?.told.isEmpty == false }
    return (peer, try #require(service.accepted.last))
  }

  @Test("A component that is there twice is the later one; one without the secret is none")
  @LoopActor func components() async throws {
    let service = try TestService()
    let (first, watched) = try await joinComponent(service)
    let (second, other) = try await joinComponent(service)
    await first.wait { $0.isClosed }
    #expect(first.received.hasSuffix(ServerScript.error("conflict")))
    #expect(watched.isOver)
    #expect(!other.isOver && !second.isClosed)
    let peer = try await RawPeer(port: service.listener.port)
    peer.send(RawPeer.header(to: "plays.localhost", namespace: "jabber:component:accept", version: ""))
    peer.send("<handshake>\(Hex.encode(Digest.sha1("secret".utf8)))</handshake>")
    await peer.wait { $0.isClosed }
    #expect(peer.received.hasSuffix(ServerScript.error("not-authorized")))
    #expect(service.streams.all.count == 1)
  }

  @Test("Who ends a stream that is not a session yet is answered in kind")
  @LoopActor func closing() async throws {
    let service = try TestService()
    let peer = try await RawPeer(port: service.listener.port)
    peer.send(RawPeer.header() + "</stream:stream>")
    await peer.wait { $0.isClosed }
    #expect(peer.received.hasSuffix("</stream:features></stream:stream>"))
    let other = try await RawPeer(port: service.listener.port)
    await service.wait { $0.accepted.count == 2 }
    service.streams.close()
    await other.wait { $0.isClosed }
    #expect(other.received.hasSuffix(ServerScript.error("system-shutdown")))
    service.listener.close()
    await #expect(throws: (any Error).self) { try await RawPeer(port: service.listener.port) }
  }
}
