// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import TLS
import Testing

@Suite("Connections that get no answer", .timeLimit(.minutes(1)))
struct TimeOutTests {
  init() {
    signal(SIGPIPE, SIG_IGN)
    EventLoop.runInBackground()
  }

  @Test("A port where nobody listens is told with its address")
  @LoopActor func refused() async throws {
    let listener = Listener(backlog: 1)
    listener.close()
    let error = await #expect(throws: TransportError.self) { try await Transport.connect(to: listener.address) }
    #expect(error?.code == .network)
    #expect(error?.description.contains(listener.address.description) == true)
  }

  @Test("A server that takes no connection is given up after the time-out, and not before")
  @LoopActor func connecting() async throws {
    let listener = Listener(backlog: 0)
    defer { listener.close() }
    // One connection fills the queue of a listener that never accepts.
    var fillers: [Transport] = []
    fillers.append(try await Transport.connect(to: listener.address))
    let time = ManualTime()
    let attempt = Task { @LoopActor in
      try await Transport.connect(to: listener.address, time: time, timeout: .seconds(9))
    }
    await settle { time.pendingTimers == 1 }
    time.advance(by: .milliseconds(8999))
    #expect(time.pendingTimers == 1)
    time.advance(by: .milliseconds(1))
    let error = await #expect(throws: TransportError.self) { try await attempt.value }
    #expect(error?.code == .timedOut)
    fillers.removeAll()
  }

  @Test("A server that never answers the handshake is given up, and told nothing more")
  @LoopActor func handshake() async throws {
    let server = TestServer { connection in _ = connection.readToEnd() }
    let time = ManualTime()
    let transport = try await Transport.connect(to: server.address, time: time, timeout: .seconds(9))
    let attempt = Task { @LoopActor in try await transport.startTLS(TrustSettings(), serverName: "localhost") }
    await settle { time.pendingTimers == 1 }
    time.advance(by: .seconds(9))
    let error = await #expect(throws: TransportError.self) { try await attempt.value }
    #expect(error?.code == .timedOut)
    await server.finished()
    #expect(time.pendingTimers == 0)
  }

  @Test("A handshake can be called off")
  @LoopActor func cancelled() async throws {
    let server = TestServer { connection in _ = connection.readToEnd() }
    let time = ManualTime()
    let transport = try await Transport.connect(to: server.address, time: time)
    let attempt = Task { @LoopActor in try await transport.startTLS(TrustSettings(), serverName: "localhost") }
    await settle { time.pendingTimers == 1 }
    transport.close()
    let error = await #expect(throws: TransportError.self) { try await attempt.value }
    #expect(error?.code == .cancelled)
    await server.finished()
  }

  @Test("A peer that does not answer our goodbye is left after five seconds")
  @LoopActor func lingering() async throws {
    let server = TestServer { connection in
      #expect(connection.readToEnd() == Array("bye".utf8))
      // Half-open: it has seen our end, and keeps its own open until we are gone.
      var state = pollfd(fd: connection.descriptor, events: 0, revents: 0)
      var byte: UInt8 = 0
      while send(connection.descriptor, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 { poll(&state, 1, 10) }
    }
    let time = ManualTime()
    let transport = try await Transport.connect(to: server.address, time: time)
    let log = EventLog(transport)
    transport.send(Array("bye".utf8))
    transport.close()
    time.advance(by: .milliseconds(4999))
    #expect(log.events == 0)
    time.advance(by: .milliseconds(1))
    #expect(log.closings == [nil])
    await server.finished()
    #expect(log.events == 1)
  }
}
