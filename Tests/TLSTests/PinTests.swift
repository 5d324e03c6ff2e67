// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import TLS
import Testing

@Suite("A certificate that is named by its hash", .timeLimit(.minutes(1)))
struct PinTests {
  private let root = TestIdentity.root()

  init() {
    signal(SIGPIPE, SIG_IGN)
    EventLoop.runInBackground()
  }

  @Test("It is accepted whatever else is wrong with it, and no file of authorities is read")
  @LoopActor func accepted() async throws {
    for identity in [
      TestIdentity("self.test", names: "DNS:other.test"),
      TestIdentity("expired.test", names: "DNS:localhost", issuer: root, validity: -7200 ... -3600),
      TestIdentity("localhost", names: "DNS:localhost", issuer: root),
    ] {
      for version in [nil, Int32(0x0303)] {
        let trust = TrustSettings(caFile: "/nonexistent/root.pem", fingerprint: identity.sha256)
        let info = try await handshake(identity, trust, version: version)
        #expect(info.certificateSHA256 == identity.sha256)
      }
    }
  }

  @Test("Every other certificate is refused, however good it is, with its hash and what to do")
  @LoopActor func refused() async throws {
    let file = TemporaryFile(root.pem)
    let server = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    for pin in [root.sha256, String(repeating: "0", count: 64), server.sha256.uppercased(), "", " "] {
      let trust = TrustSettings(caFile: file.path, fingerprint: pin)
      let error = try #require(await refusal(server, trust))
      #expect(error.code == .certificate)
      #expect(error.certificate?.check == .fingerprint)
      #expect(error.certificate?.isServers == true)
      for part in [
        "not the one that fingerprint names", "CN=localhost", "CN=A Test Root", " UTC", server.sha256,
        "set fingerprint",
      ] {
        #expect(error.description.contains(part), "\(error)")
      }
    }
  }

  @Test("It is the server's own certificate that is named, not one of those that vouch for it")
  @LoopActor func between() async throws {
    let authority = TestIdentity("Authority", issuer: root)
    let server = TestIdentity("localhost", names: "DNS:localhost", issuer: authority)
    _ = try await handshake(server, TrustSettings(fingerprint: server.sha256))
    #expect(
      try await refusal(server, TrustSettings(fingerprint: authority.sha256))?.certificate?.check == .fingerprint)
  }

  @Test("What is refused for another reason says how to pin, with the hash")
  @LoopActor func advice() async throws {
    let server = TestIdentity("self.test", names: "DNS:localhost")
    let error = try #require(await refusal(server, TrustSettings()))
    #expect(error.description.contains("SHA-256 is \(server.sha256), and set fingerprint to that"), "\(error)")
    _ = try await handshake(server, TrustSettings(fingerprint: server.sha256))
    // To trust one server must not be to trust another.
    #expect(try await refusal(server, TrustSettings())?.certificate?.check == .selfSigned)
  }
}
