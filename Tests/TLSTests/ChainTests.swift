// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import EventLoop
import Glibc
import TLS
import Testing

@Suite("Chains of certificates, and services", .timeLimit(.minutes(1)))
struct ChainTests {
  private let root = TestIdentity.root()
  private let rootFile: TemporaryFile
  private let service = "otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-client.localhost"

  init() {
    signal(SIGPIPE, SIG_IGN)
    EventLoop.runInBackground()
    rootFile = TemporaryFile(root.pem)
  }

  private var trust: TrustSettings { TrustSettings(caFile: rootFile.path) }

  @Test("A certificate may be for the service alone, and then for no other one")
  @LoopActor func services() async throws {
    _ = try await handshake(TestIdentity("s", names: service, issuer: root), trust)
    let other = TestIdentity("s", names: "otherName:1.3.6.1.5.5.7.8.7;IA5:_imap.localhost", issuer: root)
    let problem = try await refusal(other, trust)?.certificate
    #expect(problem?.check == .hostName)
    #expect(problem?.names == ["_imap.localhost"])
    #expect(problem?.server == "localhost")
  }

  @Test("The subject is looked at where there is no better name")
  @LoopActor func subject() async throws {
    _ = try await handshake(TestIdentity("localhost", issuer: root), trust)
    let better = TestIdentity("localhost", names: "DNS:other.test", issuer: root)
    #expect(try await refusal(better, trust)?.certificate?.check == .hostName)
  }

  @Test("Who may vouch for some domains only may vouch for no service, and for no subject")
  @LoopActor func constraints() async throws {
    let limited = TestIdentity(
      "Limited", issuer: root, extensions: [(NID_name_constraints, "critical,permitted;DNS:localhost")])
    _ = try await handshake(TestIdentity("s", names: "DNS:localhost", issuer: limited), trust)
    for other in [
      TestIdentity("s", names: service, issuer: limited),
      TestIdentity("*.example.org", names: "email:a@b", issuer: limited),
    ] {
      for name in ["localhost", "im.example.org"] {
        #expect(try await refusal(other, trust, name: name)?.certificate?.check == .hostName)
      }
    }
    let beyond = TestIdentity("s", names: "DNS:example.org", issuer: limited)
    guard case .chain? = try await refusal(beyond, trust, name: "example.org")?.certificate?.check else {
      Issue.record("a domain beyond what may be vouched for")
      return
    }
  }

  @Test("A chain in which somebody vouches who must not is refused, and says so")
  @LoopActor func unsound() async throws {
    let host = TestIdentity(
      "host.test", names: "DNS:host.test", issuer: root, extensions: [(NID_basic_constraints, "critical,CA:FALSE")])
    let shallow = TestIdentity(
      "Shallow", names: "DNS:ca.test", issuer: root, extensions: [(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")]
    )
    let deep = TestIdentity("Deep", issuer: shallow)
    let forged = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    // Another day, the old signature.
    X509_gmtime_adj(X509_getm_notAfter(forged.certificate), 7200)
    let cases = [
      TestIdentity("localhost", names: "DNS:localhost", issuer: host),
      TestIdentity("localhost", names: "DNS:localhost", issuer: deep), forged,
    ]
    for identity in cases {
      let error = try #require(await refusal(identity, trust))
      guard case .chain? = error.certificate?.check else {
        Issue.record("\(error)")
        continue
      }
      #expect(error.description.contains("not sound"))
      #expect(error.description.contains(identity.sha256), "the one to pin is the server's")
    }
  }

  @Test("Where a certificate between has expired, that one is told, and the server's is the one to pin")
  @LoopActor func expiredBetween() async throws {
    let old = TestIdentity("Old Authority", issuer: root, validity: -7200 ... -3600)
    let server = TestIdentity("localhost", names: "DNS:localhost", issuer: old)
    let error = try #require(await refusal(server, trust))
    #expect(error.certificate?.check == .expired)
    #expect(error.certificate?.isServers == false)
    #expect(error.certificate?.subject == "CN=Old Authority")
    #expect(error.certificate?.sha256 == server.sha256)
    for part in ["vouches for the server's", "has expired", "CN=Old Authority", server.sha256, "fingerprint"] {
      #expect(error.description.contains(part), "\(error)")
    }
    #expect(!error.description.contains(old.sha256))
  }

  @Test("A chain of any reasonable length is followed to its root")
  @LoopActor func long() async throws {
    var issuer = root
    for number in 1...4 { issuer = TestIdentity("Authority \(number)", issuer: issuer) }
    _ = try await handshake(TestIdentity("localhost", names: "DNS:localhost", issuer: issuer), trust)
  }
}
