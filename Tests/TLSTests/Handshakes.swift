// SPDX-License-Identifier: Apache-2.0

import EventLoop
import TLS
import Testing

/// Shakes hands with a server that shows `identity`, and closes.
@LoopActor
func handshake(
  _ identity: TestIdentity, _ trust: TrustSettings, name: String = "localhost", version: Int32? = nil
) async throws -> TLSInfo {
  let server = TestServer { connection in
    if connection.startTLS(identity, version: version) { connection.write("hello".utf8) }
  }
  let transport = try await Transport.connect(to: server.address)
  let log = EventLog(transport)
  do {
    let info = try await transport.startTLS(trust, serverName: name)
    transport.close()
    await server.finished()
    return info
  } catch {
    await server.finished()
    #expect(log.events == 0, "a failure of startTLS is told once, and nothing was received")
    throw error
  }
}

/// The error of such a handshake.
@LoopActor
func refusal(
  _ identity: TestIdentity, _ trust: TrustSettings, name: String = "localhost", version: Int32? = nil
) async throws -> TransportError? {
  do {
    _ = try await handshake(identity, trust, name: name, version: version)
    return nil
  } catch let error as TransportError {
    return error
  }
}
