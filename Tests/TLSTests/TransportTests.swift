// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Testing

@testable import TLS

@Suite("Connections", .timeLimit(.minutes(1)))
struct TransportTests {
  private let identity: TestIdentity
  private let rootFile: TemporaryFile

  init() {
    signal(SIGPIPE, SIG_IGN)
    EventLoop.runInBackground()
    let root = TestIdentity.root()
    identity = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    rootFile = TemporaryFile(root.pem)
  }

  private var trust: TrustSettings { TrustSettings(caFile: rootFile.path) }

  /// Connects to a server that makes TLS, then does `serve`.
  @LoopActor
  private func secured(
    queueLimit: Int = Transport.defaultQueueLimit, time: any TimeSource = EventLoop.shared.time,
    _ serve: @escaping @Sendable (ServerConnection) -> Void
  ) async throws -> (Transport, EventLog, TestServer) {
    let server = TestServer { [identity] connection in
      connection.startTLS(identity)
      serve(connection)
    }
    let transport = try await Transport.connect(to: server.address, time: time, queueLimit: queueLimit)
    _ = try await transport.startTLS(trust, serverName: "localhost", applicationProtocol: "xmpp-client")
    return (transport, EventLog(transport), server)
  }

  private static let large: [UInt8] = (0..<4 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

  @Test("What is said in the clear and then under TLS arrives on either side, in order")
  @LoopActor func upgrade() async throws {
    let server = TestServer { [identity] connection in
      #expect(connection.read() == Array("may I?".utf8))
      connection.write("you may".utf8)
      connection.startTLS(identity)
      #expect(connection.serverName == "localhost")
      connection.write("welcome".utf8)
      #expect(connection.read() == Array("thanks".utf8))
    }
    let transport = try await Transport.connect(to: server.address)
    let log = EventLog(transport)
    transport.send(Array("may I?".utf8))
    await log.wait { log.text == "you may" }
    _ = try await transport.startTLS(trust, serverName: "localhost")
    await log.wait { log.text == "you maywelcome" }
    transport.send(Array("thanks".utf8))
    await server.finished()
  }

  @Test("TLS from the start says what it is for")
  @LoopActor func direct() async throws {
    let (transport, log, server) = try await secured { connection in
      connection.write(connection.applicationProtocol.utf8)
    }
    await log.wait { log.text == "xmpp-client" }
    transport.close()
    await server.finished()
  }

  @Test("Plain text put behind the server's consent is seen in the same event")
  @LoopActor func injectionAtOnce() async throws {
    let server = TestServer { connection in connection.write("<proceed/><evil/>".utf8) }
    let transport = try await Transport.connect(to: server.address)
    let log = EventLog(transport)
    await log.wait { log.events > 0 }
    #expect(log.text == "<proceed/><evil/>")
    transport.close()
  }

  @Test("Plain text that comes after TLS was asked for makes the handshake fail and is never received")
  @LoopActor func injectionLater() async throws {
    let server = TestServer { connection in
      connection.write("<evil/><evil/><evil/>".utf8)
      _ = connection.readToEnd()
    }
    let transport = try await Transport.connect(to: server.address)
    let error = await #expect(throws: TransportError.self) {
      try await transport.startTLS(trust, serverName: "localhost")
    }
    #expect(error?.code == .handshake)
    #expect(error?.description.contains("not TLS") == true)
    let log = EventLog(transport)
    await server.finished()
    #expect(log.events == 0)
  }

  @Test("Nothing goes out in the clear once TLS was asked for")
  @LoopActor func noLeak() async throws {
    let server = TestServer { connection in
      var bytes = connection.read()
      bytes += connection.readToEnd()
      #expect(bytes.first == 0x16, "a TLS handshake")
      #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"))
    }
    let transport = try await Transport.connect(to: server.address)
    let attempt = Task { @LoopActor in try await transport.startTLS(trust, serverName: "localhost") }
    // First the certificates are read, then the handshake waits for the server's answer.
    while case .plain = transport.state { await Task.yield() }
    transport.send(Array("secret".utf8))
    for _ in 0..<20 {
      await EventLoop.shared.time.wait(for: .microseconds(100))
      transport.send(Array("secret".utf8))
    }
    transport.close()
    await #expect(throws: TransportError.self) { try await attempt.value }
    await server.finished()
  }

  @Test("Four megabytes to a server that reads little at a time arrive whole", arguments: [true, false])
  @LoopActor func partialWrites(withTLS: Bool) async throws {
    let check: @Sendable (ServerConnection) -> Void = { connection in
      #expect(connection.readToEnd(pieces: 5000) == Self.large)
      if withTLS { #expect(connection.receivedGoodbye) }
    }
    let transport: Transport
    let log: EventLog
    let server: TestServer
    if withTLS {
      (transport, log, server) = try await secured(queueLimit: 8 << 20, check)
    } else {
      server = TestServer(check)
      transport = try await Transport.connect(to: server.address, queueLimit: 8 << 20)
      log = EventLog(transport)
    }
    // In odd pieces, so that array and records never meet.
    for start in stride(from: 0, to: Self.large.count, by: 300_007) {
      transport.send(Array(Self.large[start..<min(start + 300_007, Self.large.count)]))
    }
    transport.close()
    transport.send([1, 2, 3])
    #expect(await log.closed() == nil)
    await server.finished()
  }

  @Test("Four megabytes from a server arrive whole")
  @LoopActor func largeInput() async throws {
    let (transport, log, server) = try await secured { connection in
      connection.write(Self.large)
      connection.sayGoodbye()
    }
    #expect(await log.closed() == nil)
    #expect(log.received == Self.large)
    await server.finished()
    transport.close()
  }

  @Test("A peer that does not read is cut off when the queue is full, and not before")
  @LoopActor func slowReader() async throws {
    let (transport, log, server) = try await secured(queueLimit: 100_000) { connection in
      // Waits for the end without reading anything.
      var state = pollfd(fd: connection.descriptor, events: 0, revents: 0)
      poll(&state, 1, 20_000)
    }
    var sent = 0
    while log.closings.isEmpty, sent < 100 << 20 {
      transport.send([UInt8](repeating: 7, count: 10_000))
      sent += 10_000
      await Task.yield()
    }
    #expect(log.closings.first??.code == .slowReader)
    #expect(sent > 100_000)
    await server.finished()
    #expect(log.closings.count == 1)
  }

  @Test("The end is told once, and nothing after it")
  @LoopActor func oneEnd() async throws {
    let (transport, log, server) = try await secured { connection in _ = connection.readToEnd() }
    transport.close()
    transport.close()
    #expect(await log.closed() == nil)
    transport.send([1])
    transport.close()
    await server.finished()
    #expect(log.events == 1)
    await #expect(throws: TransportError.self) { try await transport.startTLS(trust, serverName: "localhost") }
  }

  @Test("A server's goodbye is answered and is an end in good order; a cut is not")
  @LoopActor func peerEnds() async throws {
    let (transport, log, server) = try await secured { connection in
      connection.sayGoodbye()
      #expect(connection.read().isEmpty)
      #expect(connection.receivedGoodbye)
    }
    #expect(await log.closed() == nil)
    await server.finished()
    transport.close()
    let (_, cut, _) = try await secured { _ in }
    let error = await cut.closed()
    #expect(error?.code == .network)
  }

  @Test("A transport that nobody holds closes its socket; one that is closing says goodbye first")
  @LoopActor func dropped() async throws {
    let (_, log, server) = try await secured { connection in #expect(connection.readToEnd().isEmpty) }
    log.release()
    await server.finished()
    #expect(log.events == 0)
    let (closing, lastLog, other) = try await secured { connection in
      #expect(connection.readToEnd() == Array("last words".utf8))
      #expect(connection.receivedGoodbye)
    }
    closing.send(Array("last words".utf8))
    closing.close()
    lastLog.release()
    await other.finished()
    #expect(await lastLog.closed() == nil)
  }

  @Test("What comes before somebody listens is kept in the socket")
  @LoopActor func lateListener() async throws {
    let server = TestServer { connection in connection.write("early".utf8) }
    let transport = try await Transport.connect(to: server.address)
    await server.finished()
    let log = EventLog(transport)
    #expect(await log.closed() == nil)
    #expect(log.text == "early")
  }
}
