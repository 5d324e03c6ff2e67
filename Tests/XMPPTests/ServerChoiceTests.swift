// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Logging
import Network
import Support
import Testing
import XMPP

@Suite("The way to a server", .timeLimit(.minutes(1)))
struct ServerChoiceTests {
  init() { EventLoop.runInBackground() }

  private static let tls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

  /// A stream to a domain whose `_xmpp-client` records are these servers, in this order.
  @LoopActor private func stream(
    _ servers: [FakeServer], service: String = "xmpp-client", _ tls: ClientConfiguration.TLS? = nil,
    location: FakeServer? = nil, server: String? = nil, time: any TimeSource = ManualTime()
  ) throws -> (ClientStream, StreamWatcher, DNSStub) {
    let stub = try DNSStub()
    let hosts = ["one", "two", "three"]
    stub.set(
      service, of: "shakespeare.lit",
      zip(servers, hosts).enumerated().map { index, pair in
        .init("\(pair.1).shakespeare.lit", port: pair.0.port, priority: UInt16(index))
      })
    for host in hosts { stub.set("\(host).shakespeare.lit", .a, .addresses(["127.0.0.1"])) }
    let configuration = ClientConfiguration(
      account: try BareJID("user@shakespeare.lit"), password: "pencil", server: server, tls: tls)
    let resumption = try location.map { server in
      Resumption(
        jid: try FullJID("user@shakespeare.lit/r"), id: "1", location: "127.0.0.1:\(server.port)",
        expiresAt: time.now + .seconds(60), handled: 0, acknowledged: 0, unacknowledged: [])
    }
    let stream = ClientStream(
      configuration, time: time, logger: Logger(label: "test"), resumption: resumption,
      lookups: LookupSettings(servers: [try #require(LookupSettings.server(stub.address))]))
    let watcher = StreamWatcher(stream)
    watcher.kept = [stub] + servers
    return (stream, watcher, stub)
  }

  /// What a server does that is of no use.
  enum Uselessness: CaseIterable {
    case cuts, saysNoXML, endsStream, offersNoTLS, refusesTLS, failsTLS, hasError
  }

  @LoopActor private func make(_ server: FakeServer, _ kind: Uselessness) {
    server.onReceive = { [unowned server] text in
      switch kind {
      case .cuts: server.closeClient()
      case .saysNoXML: server.send("SSH-2.0-OpenSSH_9.2p1\r\n")
      case .endsStream: server.send(FakeServer.header + "</stream:stream>")
      case .offersNoTLS: server.send(FakeServer.header + FakeServer.features(""))
      case .hasError:
        server.send(
          FakeServer.header
            + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
        )
      case .refusesTLS, .failsTLS:
        if text.contains("<stream:stream") {
          server.send(FakeServer.header + FakeServer.features(Self.tls))
        } else if text.contains("<starttls") {
          let answer = kind == .refusesTLS ? "failure" : "proceed"
          server.send("<\(answer) xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        } else {
          server.send("no TLS at all, and quite a lot of it")
        }
      }
    }
  }

  @Test("A server that fails before there is TLS is left for the next one", arguments: Uselessness.allCases)
  @LoopActor func next(kind: Uselessness) async throws {
    let (first, second) = (FakeServer(), FakeServer())
    make(first, kind)
    let (stream, watcher, _) = try stream([first, second])
    stream.open()
    await second.wait { $0.received.contains("to='shakespeare.lit'") }
    #expect(watcher.end == nil)
    await first.wait { $0.hasClientClosed || kind == .cuts }
    stream.close()
    await watcher.wait { $0.end != nil }
    #expect(watcher.ends == 1)
    await second.wait { $0.hasClientClosed }
  }

  @Test("When all are of no use the end names each of them, with what the first one did", arguments: [1, 2, 3])
  @LoopActor func none(count: Int) async throws {
    let servers = (0..<count).map { _ in FakeServer() }
    for server in servers { make(server, .offersNoTLS) }
    let (stream, watcher, _) = try stream(servers)
    stream.open()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .protocol)
    let text = watcher.end?.text ?? ""
    #expect(text.contains("does not offer TLS"))
    for (server, host) in zip(servers, ["one", "two", "three"]) where count > 1 {
      #expect(text.contains("\(host).shakespeare.lit (127.0.0.1:\(server.port))"), "\(text)")
    }
    #expect(watcher.ends == 1)
    for server in servers { await server.wait { $0.hasClientClosed } }
  }

  @Test("A server that takes the connection and says nothing is left after five seconds")
  @LoopActor func silence() async throws {
    let (first, second, time) = (FakeServer(), FakeServer(), ManualTime())
    let (stream, watcher, _) = try stream([first, second], time: time)
    stream.open()
    await first.wait { $0.received.contains("<stream:stream") }
    time.advance(by: .milliseconds(4999))
    #expect(!first.hasClientClosed)
    time.advance(by: .milliseconds(1))
    await second.wait { $0.received.contains("<stream:stream") }
    #expect(watcher.end == nil)
    // The last one has all the time that is left: 13 of 18 seconds.
    time.advance(by: .milliseconds(12_999))
    #expect(watcher.end == nil)
    time.advance(by: .milliseconds(1))
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .timedOut)
    #expect(watcher.end?.text.contains("one.shakespeare.lit (127.0.0.1:\(first.port))") == true)
    await second.wait { $0.hasClientClosed }
  }

  @Test("Each record's kind of TLS is kept to: no word in the clear to a server of _xmpps-client")
  @LoopActor func direct() async throws {
    let server = FakeServer()
    let (stream, watcher, stub) = try stream([server], service: "xmpps-client")
    stream.open()
    await server.wait { !$0.received.isEmpty }
    // A ClientHello with the name of the domain, and the protocol.
    #expect(server.received.unicodeScalars.first == "\u{16}")
    #expect(server.received.contains("shakespeare.lit"))
    #expect(server.received.contains("xmpp-client"))
    #expect(!server.received.contains("one.shakespeare.lit"))
    stream.close()
    await watcher.wait { $0.end != nil }
    #expect(stub.questions.contains("srv _xmpp-client._tcp.shakespeare.lit"))
  }

  @Test(
    "tls decides which records are asked for",
    arguments: [
      (ClientConfiguration.TLS.starttls, ["srv _xmpp-client._tcp.shakespeare.lit"]),
      (.direct, ["srv _xmpps-client._tcp.shakespeare.lit"]), (.off, []),
      (nil, ["srv _xmpp-client._tcp.shakespeare.lit", "srv _xmpps-client._tcp.shakespeare.lit"]),
    ] as [(ClientConfiguration.TLS?, [String])])
  @LoopActor func records(tls: ClientConfiguration.TLS?, questions: [String]) async throws {
    let (stream, watcher, stub) = try stream([], tls)
    stream.open()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .network)
    #expect(watcher.end?.text.contains("shakespeare.lit: there is no such name") == true)
    // A question may be repeated.
    #expect(Set(stub.questions.filter { $0.hasPrefix("srv") }) == Set(questions))
  }

  @Test("What a stream does is told step by step")
  @LoopActor func steps() async throws {
    let server = FakeServer()
    make(server, .failsTLS)
    let (stream, watcher, _) = try stream([server])
    stream.open()
    #expect(watcher.steps.isEmpty, "a step was told within the call")
    await watcher.wait { $0.end != nil }
    #expect(
      watcher.steps == [
        .lookingUp("shakespeare.lit"), .connecting("one.shakespeare.lit", address: "127.0.0.1:\(server.port)"),
        .securing,
      ])
  }

  @Test("Where the server wants to be reached is tried first, and then the others")
  @LoopActor func location() async throws {
    let (first, second) = (FakeServer(), FakeServer())
    make(second, .cuts)
    let (stream, watcher, _) = try stream([first], location: second)
    stream.open()
    await first.wait { $0.received.contains("<stream:stream") }
    #expect(second.received.contains("<stream:stream"))
    stream.close()
    await watcher.wait { $0.end != nil }
  }

  @Test("Whoever names a server means that one, wherever it wants to be reached")
  @LoopActor func locationAndServer() async throws {
    let second = FakeServer()
    let (stream, watcher, _) = try stream([], location: second, server: "nobody.invalid")
    stream.open()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .network)
    #expect(watcher.steps.isEmpty, "it connected to \(watcher.steps)")
  }

  @Test("Closing while names are looked up ends the stream, once")
  @LoopActor func closing() async throws {
    let (stream, watcher, stub) = try stream([])
    stub.set("_xmpp-client._tcp.shakespeare.lit", .srv, .silence)
    stream.open()
    await watcher.wait { !$0.steps.isEmpty }
    stream.close()
    await watcher.wait { $0.end != nil }
    #expect(watcher.end?.code == .cancelled)
    #expect(watcher.ends == 1)
  }
}
