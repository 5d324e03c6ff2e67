// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import EventLoop
import Glibc
import TLS
import Testing

@Suite("Certificates", .timeLimit(.minutes(1)))
struct CertificateTests {
  private let root = TestIdentity.root()
  private let rootFile: TemporaryFile

  init() {
    signal(SIGPIPE, SIG_IGN)
    EventLoop.runInBackground()
    rootFile = TemporaryFile(root.pem)
  }

  private var trust: TrustSettings { TrustSettings(caFile: rootFile.path) }

  @Test("A server whose certificate is signed by the private root of ca-file is accepted, and described")
  @LoopActor func privateRoot() async throws {
    let server = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    let info = try await handshake(server, trust)
    #expect(info.version == "TLSv1.3")
    #expect(info.cipher.hasPrefix("TLS_"))
    #expect(info.certificateSHA256.count == 64)
    #expect(info.certificateSHA256.allSatisfy { $0.isHexDigit && !$0.isUppercase })
  }

  @Test("A server's own certificate may be what ca-file names")
  @LoopActor func pinned() async throws {
    let server = TestIdentity("localhost", names: "DNS:localhost")
    let file = TemporaryFile(server.pem)
    _ = try await handshake(server, TrustSettings(caFile: file.path))
  }

  @Test("A wildcard stands for a whole label, and a numeric address is compared as one")
  @LoopActor func names() async throws {
    let wildcard = TestIdentity("w", names: "DNS:*.example.org", issuer: root)
    _ = try await handshake(wildcard, trust, name: "im.example.org")
    #expect(try await refusal(wildcard, trust, name: "a.b.example.org")?.certificate?.check == .hostName)
    let partial = TestIdentity("w", names: "DNS:i*.example.org", issuer: root)
    #expect(try await refusal(partial, trust, name: "im.example.org")?.certificate?.check == .hostName)
    let numeric = TestIdentity("n", names: "IP:127.0.0.1", issuer: root)
    _ = try await handshake(numeric, trust, name: "127.0.0.1")
    #expect(try await refusal(numeric, trust, name: "127.0.0.2")?.certificate?.check == .hostName)
  }

  @Test("A certificate that is not good is refused with the check that it failed, its names and what to do")
  @LoopActor func refusals() async throws {
    let stranger = TestIdentity.root("A Stranger")
    let cases: [(TestIdentity, CertificateProblem.Check, String, String)] = [
      (
        TestIdentity("expired.test", names: "DNS:localhost", issuer: root, validity: -7200 ... -3600), .expired,
        "CN=A Test Root", "expired"
      ),
      (
        TestIdentity("early.test", names: "DNS:localhost", issuer: root, validity: 3600...7200), .notYetValid,
        "CN=A Test Root", "clock"
      ),
      (
        TestIdentity("other.test", names: "DNS:other.test", issuer: root), .hostName, "CN=A Test Root",
        "is not for localhost but for other.test"
      ),
      (
        TestIdentity("unknown.test", names: "DNS:localhost", issuer: stranger), .unknownIssuer, "CN=A Stranger",
        "ca-file"
      ),
      (TestIdentity("self.test", names: "DNS:localhost"), .selfSigned, "CN=self.test", "ca-file"),
    ]
    for (identity, check, issuer, advice) in cases {
      let error = try #require(await refusal(identity, trust))
      let problem = try #require(error.certificate, "\(error)")
      #expect(error.code == .certificate)
      #expect(problem.check == check)
      #expect(problem.issuer == issuer)
      #expect(problem.subject.hasSuffix(".test"))
      #expect(problem.notBefore.hasSuffix(" UTC") && problem.notBefore < problem.notAfter)
      for part in [advice, problem.subject, issuer, problem.notAfter] {
        #expect(error.description.contains(part), "\(error)")
      }
    }
  }

  @Test("What a stranger wrote into a certificate cannot forge lines of a log")
  @LoopActor func subjectText() async throws {
    let error = try await refusal(TestIdentity("a\nb\u{1b}[31m", names: "DNS:localhost"), trust)
    #expect(error?.certificate?.subject == "CN=a\\0Ab\\1B[31m")
  }

  @Test("The system's roots know nothing of the private one")
  @LoopActor func systemRoots() async throws {
    let server = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    #expect(try await refusal(server, TrustSettings())?.certificate?.check == .unknownIssuer)
  }

  @Test("A ca-file stands in the place of the system's roots, and is read anew when it changes")
  @LoopActor func changedFile() async throws {
    let other = TestIdentity.root("Another Root")
    let file = TemporaryFile(other.pem)
    let server = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    #expect(try await refusal(server, TrustSettings(caFile: file.path))?.code == .certificate)
    file.replace(with: other.pem + root.pem)
    _ = try await handshake(server, TrustSettings(caFile: file.path))
  }

  @Test("A ca-file that cannot be used is an error that names it, and a pipe does not hold us up")
  @LoopActor func unusableFiles() async throws {
    let server = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    let pipe = "/tmp/nightcloak-test-pipe-\(getpid())"
    #expect(mkfifo(pipe, 0o600) == 0)
    defer { unlink(pipe) }
    let text = TemporaryFile(Array("no certificate".utf8))
    for path in [pipe, text.path, "/nonexistent/root.pem", "/tmp", "/dev/zero", ""] {
      let error = try #require(await refusal(server, TrustSettings(caFile: path)))
      #expect(error.code == .trust)
      #expect(error.description.contains("ca-file \(path)"))
    }
  }

  @Test(
    "A name that would switch the check off is refused",
    arguments: ["", ".localhost", "localhost\0.example.org", "ümlaut", "a b", "-", "*.example.org"])
  @LoopActor func dangerousNames(name: String) async throws {
    let server = TestIdentity("localhost", names: "DNS:localhost,DNS:a.localhost", issuer: root)
    #expect(try await refusal(server, trust, name: name) != nil)
  }

  @Test("TLS 1.2 is good enough, TLS 1.1 and 1.0 are refused with the reason")
  @LoopActor func versions() async throws {
    let server = TestIdentity("localhost", names: "DNS:localhost", issuer: root)
    #expect(try await handshake(server, trust, version: TLS1_2_VERSION).version == "TLSv1.2")
    for version in [TLS1_1_VERSION, TLS1_VERSION] {
      let error = try #require(await refusal(server, trust, version: version))
      #expect(error.code == .handshake)
      #expect(error.description.contains("TLS 1.2"), "\(error)")
    }
  }
}
