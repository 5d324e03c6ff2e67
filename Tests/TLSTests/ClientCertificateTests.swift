// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import EventLoop
import Glibc
import TLS
import Testing

@Suite("Certificates of ours", .timeLimit(.minutes(1)))
struct ClientCertificateTests {
  private let root = TestIdentity.root()
  private let clients = TestIdentity.root("A Root of Clients")
  private let server: TestIdentity
  private let rootFile: TemporaryFile
  private static let versions = [TLS1_2_VERSION, TLS1_3_VERSION]

  init() {
    signal(SIGPIPE, SIG_IGN)
    EventLoop.runInBackground()
    server = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    rootFile = TemporaryFile(root.pem)
  }

  /// What a server that asks for a certificate sees, and how the connection ended.
  @LoopActor
  private func visit(_ pem: [UInt8]?, version: Int32) async throws -> (seen: String, end: TransportError?) {
    let server = TestServer { [server, clients] connection in
      guard connection.startTLS(server, version: version, clients: clients) else { return }
      connection.write(connection.clientName.utf8)
      connection.sayGoodbye()
    }
    let own = try pem.map { try ClientCertificate(pem: $0) }
    let transport = try await Transport.connect(to: server.address)
    let log = EventLog(transport)
    do throws(TransportError) {
      _ = try await transport.startTLS(
        TrustSettings(caFile: rootFile.path, clientCertificate: own), serverName: "localhost")
    } catch {
      return (log.text, error)
    }
    let end = await log.closed()
    await server.finished()
    return (log.text, end)
  }

  @Test(
    "A server that asks is shown it, with those that vouch for it, in whatever order they stand", arguments: versions)
  @LoopActor func shown(version: Int32) async throws {
    let authority = TestIdentity("Authority of Clients", issuer: clients)
    let juliet = TestIdentity("juliet", names: "email:juliet@localhost", issuer: authority)
    for pem in [
      juliet.pem + authority.pem + juliet.keyPEM, juliet.keyPEM + juliet.pem + authority.pem,
      authority.pem + juliet.keyPEM + juliet.pem,
    ] {
      let (seen, end) = try await visit(pem, version: version)
      #expect(seen == "juliet")
      #expect(end == nil)
    }
  }

  @Test("A server that does not ask is shown nothing, and a pin goes with it")
  @LoopActor func notAsked() async throws {
    let juliet = TestIdentity("juliet", names: "email:juliet@localhost", issuer: clients)
    let own = try ClientCertificate(pem: juliet.pem + juliet.keyPEM)
    _ = try await handshake(server, TrustSettings(caFile: rootFile.path, clientCertificate: own))
    _ = try await handshake(server, TrustSettings(fingerprint: server.sha256, clientCertificate: own))
  }

  @Test("A server that does not take it, or takes nobody without, is told as such", arguments: versions)
  @LoopActor func refused(version: Int32) async throws {
    let stranger = TestIdentity("tybalt", names: "email:tybalt@localhost")
    let (seen, end) = try await visit(stranger.pem + stranger.keyPEM, version: version)
    #expect(seen == "")
    #expect(end?.code == .trust)
    #expect(end?.description.contains("does not take our client certificate") == true)
    let (unseen, without) = try await visit(nil, version: version)
    #expect(unseen == "")
    #expect(without != nil)
    // TLS 1.2 has no word for it.
    if version == TLS1_3_VERSION { #expect(without?.description.contains("client-certificate") == true) }
  }

  @Test("What cannot be shown is refused before any connection, with the reason")
  func unusable() throws {
    let (juliet, other) = (TestIdentity("juliet"), TestIdentity("other"))
    let weak = TestIdentity("weak", issuer: clients, digest: EVP_sha1())
    let broken = Array(String(decoding: juliet.pem, as: UTF8.self).replacing("MII", with: "M!!").utf8)
    for (pem, reason) in [
      ([], "no private key"), (Array("nonsense".utf8), "no private key"), (juliet.pem, "no private key"),
      (juliet.keyPEM, "no certificate"), (juliet.pem + juliet.protectedKeyPEM, "passphrase"),
      (juliet.pem + other.keyPEM, "belongs to none of its certificates"),
      (juliet.pem + broken + juliet.keyPEM, "cannot be read"), (broken + juliet.keyPEM, "cannot be read"),
      (weak.pem + weak.keyPEM, "too weak"),
      (juliet.keyPEM + juliet.pem.map { $0 == UInt8(ascii: "\n") ? 0 : $0 }, "no certificate"),
    ] {
      let error = #expect(throws: TransportError.self, "\(reason)") { try ClientCertificate(pem: pem) }
      #expect(error?.code == .trust)
      #expect(error?.description.contains(reason) == true, "\(reason): \(String(describing: error))")
    }
    _ = try ClientCertificate(pem: juliet.pem + juliet.keyPEM)
  }

  @Test("Neither a log nor a dump shows the key")
  func hidden() throws {
    let juliet = TestIdentity("juliet")
    let own = try ClientCertificate(pem: juliet.pem + juliet.keyPEM)
    let trust = TrustSettings(clientCertificate: own)
    var dumped = ""
    dump(trust, to: &dumped)
    for text in ["\(own)", String(reflecting: own), "\(trust)", String(reflecting: trust), dumped] {
      #expect(!text.contains("45, 45, 45") && !text.contains("- 45") && !text.contains("BEGIN"), "\(text)")
    }
  }
}
