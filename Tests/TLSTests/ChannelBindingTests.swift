// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import EventLoop
import Glibc
import TLS
import Testing

@Suite("Channel bindings", .timeLimit(.minutes(1)))
struct ChannelBindingTests {
  init() {
    signal(SIGPIPE, SIG_IGN)
    EventLoop.runInBackground()
  }

  /// What the client has of each binding, and what the server says that it has, on a connection of this kind.
  @LoopActor
  private func bindings(
    _ identity: TestIdentity = TestIdentity("localhost", names: "DNS:localhost"), version: Int32,
    extendedMasterSecret: Bool = true
  ) async throws -> (client: [ChannelBinding: [UInt8]], exported: [UInt8], finished: [UInt8]) {
    let server = TestServer { connection in
      guard
        connection.startTLS(identity, version: version, extendedMasterSecret: extendedMasterSecret)
      else { return }
      let label = "EXPORTER-Channel-Binding"
      var exported = [UInt8](repeating: 0, count: 32)
      SSL_export_keying_material(connection.session, &exported, 32, label, label.utf8.count, [], 0, 1)
      var finished = [UInt8](repeating: 0, count: 64)
      let count = SSL_get_peer_finished(connection.session, &finished, 64)
      connection.write(exported + finished.prefix(count))
      connection.sayGoodbye()
    }
    let file = TemporaryFile(identity.pem)
    let transport = try await Transport.connect(to: server.address)
    for kind in ChannelBinding.allCases { #expect(transport.channelBinding(kind) == nil, "there is no TLS yet") }
    _ = try await transport.startTLS(TrustSettings(caFile: file.path), serverName: "localhost")
    var client: [ChannelBinding: [UInt8]] = [:]
    for kind in ChannelBinding.allCases { client[kind] = transport.channelBinding(kind) }
    let log = EventLog(transport)
    #expect(await log.closed() == nil)
    for kind in ChannelBinding.allCases { #expect(transport.channelBinding(kind) == nil, "the connection is over") }
    await server.finished()
    return (client, Array(log.received.prefix(32)), Array(log.received.dropFirst(32)))
  }

  @Test("On TLS 1.3 both ends export the same, and the first Finished is no binding")
  @LoopActor func newest() async throws {
    let (client, exported, _) = try await bindings(version: TLS1_3_VERSION)
    #expect(client[.exporter] == exported)
    #expect(exported.count == 32 && exported.contains { $0 != 0 })
    #expect(client[.unique] == nil)
    #expect(client[.serverEndPoint]?.count == 32)
  }

  @Test("On TLS 1.2 both ends have the client's Finished, and export the same")
  @LoopActor func older() async throws {
    let (client, exported, finished) = try await bindings(version: TLS1_2_VERSION)
    #expect(client[.unique] == finished)
    #expect(finished.count == 12)
    #expect(client[.exporter] == exported)
  }

  @Test("Without the extended master secret, somebody between could have the same keys: neither is a binding then")
  @LoopActor func noExtendedMasterSecret() async throws {
    let (client, _, finished) = try await bindings(version: TLS1_2_VERSION, extendedMasterSecret: false)
    #expect(finished.count == 12)
    #expect(client[.unique] == nil)
    #expect(client[.exporter] == nil)
    #expect(client[.serverEndPoint] != nil)
  }

  @Test("The certificate's hash is by its signature's function, never by one that is too old, and may not exist")
  @LoopActor func endPoint() async throws {
    for (used, taken) in [
      (EVP_sha1(), EVP_sha256()), (EVP_sha256(), EVP_sha256()), (EVP_sha384(), EVP_sha384()),
      (EVP_sha512(), EVP_sha512()),
    ] {
      let identity = TestIdentity("localhost", names: "DNS:localhost", digest: used)
      var expected = [UInt8](repeating: 0, count: Int(EVP_MD_get_size(taken)))
      X509_digest(identity.certificate, taken, &expected, nil)
      #expect(try await bindings(identity, version: TLS1_3_VERSION).client[.serverEndPoint] == expected)
    }
    let hashless = TestIdentity("localhost", names: "DNS:localhost", digest: nil)
    let client = try await bindings(hashless, version: TLS1_3_VERSION).client
    #expect(client[.serverEndPoint] == nil)
    #expect(client[.exporter] != nil)
  }
}
