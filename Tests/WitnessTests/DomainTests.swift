// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// Accounts of domains that only DNS knows, on a server elsewhere, over TLS as it is.
@Suite("Accounts of other domains", .serialized, .timeLimit(.minutes(15)))
struct DomainTests {
  /// Where all of the domains are served, by its name in DNS.
  private static let host = "xmpp.host.example"
  /// The domains, and what their certificates name.
  private static let domains = [
    "capulet.example": "DNS:capulet.example",
    "verona.example": "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-client.verona.example",
    "mantua.example": "DNS:\(host)",
  ]

  private func serve() throws -> XMPPServer {
    try XMPPServer(
      settings: [
        "DOMAINS": Self.domains.map { "\($0.key)=\($0.value)" }.joined(separator: " "),
        "ACCOUNTS": Self.domains.keys.flatMap { ["juliet@\($0):secret", "nurse@\($0):secret"] }.joined(separator: " "),
      ])
  }

  private func add(
    _ jid: String, _ witness: Witness, _ server: XMPPServer, _ more: [String: BusValue] = [:]
  ) throws -> BusAccount {
    let authority = BusValue.string(server.certificate(of: String(jid.split(separator: "@")[1])))
    let parameters = ["password": .string("secret"), "ca-file": authority].merging(more) { $1 }
    return try BusAccount(jid, on: witness.owner, parameters)
  }

  @Test("SRV records lead to the server; its certificate must be the domain's; dead and mute servers are passed over")
  func found() async throws {
    try await Witness.run(withDaemon: false) { witness in
      let (stub, server) = (try DNSStub(), try serve())
      // Where XMPP is spoken to it, a DNS server waits for the rest of the question.
      let mute = try DNSStub()
      stub.set(Self.host, .a, .addresses(["127.0.0.1"]))
      for domain in Self.domains.keys {
        stub.set("xmpp-client", of: domain, [.init(Self.host, port: server.clientPort)])
        stub.set("xmpps-client", of: domain, [.init(Self.host, port: server.directTLSPort)])
      }
      stub.set("mute.host.example", .a, .addresses(["127.0.0.1"]))
      let daemon = try DaemonProcess(on: witness.bus, arguments: ["--dns-server", stub.address])
      defer { _ = try? daemon.terminate() }

      stub.set(
        "xmpp-client", of: "capulet.example",
        [
          .init(Self.host, port: 1, priority: 1), .init("mute.host.example", port: mute.port, priority: 2),
          .init(Self.host, port: server.clientPort, priority: 3),
        ])
      // Takes a while, in which the others connect.
      let patient = try add("juliet@capulet.example", witness, server, ["tls": .string("starttls")])
      let connecting = try patient.begin("Connect")

      for (jid, tls, isAccepted) in [
        ("nurse@capulet.example", "direct", true), ("juliet@verona.example", "starttls", true),
        ("juliet@mantua.example", "starttls", false), ("nurse@mantua.example", "direct", false),
      ] {
        let account = try add(jid, witness, server, ["tls": .string(tls)])
        let refusal = try account.refusal()
        guard !isAccepted else {
          #expect(refusal == nil, "\(jid), \(tls): \(refusal?.text ?? "")")
          #expect(try account.get("Security")?["Mechanism"]?.text.hasPrefix("SCRAM-") == true)
          continue
        }
        #expect(refusal?.name == "org.nightcloak.Presence1.Error.CertificateRejected", "\(jid), \(tls)")
        #expect(refusal?.text.contains("mantua.example") == true, "\(refusal?.text ?? "")")
        #expect(try account.get("Status")?.text == "disconnected")
      }

      _ = try witness.owner.finish(connecting)
      #expect(try patient.get("Jid")?.text.hasPrefix("juliet@capulet.example/") == true)
      let tried = daemon.log.split(separator: "\n").filter { $0.contains("connected") && $0.contains("host=") }
      #expect(tried.contains { $0.contains("mute.host.example") }, "\(tried)")
    }
  }

  // That it also says for whom (SNI) is seen above: the server has a certificate for each domain.
  @Test("Direct TLS says that it is for XMPP (ALPN)")
  func directTLS() async throws {
    try await Witness.run(withDaemon: false) { witness in
      let (stub, directory) = (try DNSStub(), try TemporaryDirectory())
      let (certificate, key) = (directory.file("certificate"), directory.file("key"))
      let made = try run([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=capulet.example", "-addext",
        "subjectAltName=DNS:capulet.example", "-keyout", key, "-out", certificate,
      ])
      try #require(made.ending == .status(0), "\(made.errors)")
      let server = try ChildProcess([
        "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-alpn", "xmpp-client",
      ])
      func line(_ start: String) throws -> String {
        while let line = try server.line(within: .seconds(10)) {
          if line.hasPrefix(start) { return String(line.dropFirst(start.count)) }
        }
        throw WitnessError("openssl says no \"\(start)\"")
      }
      let port = try #require(UInt16(try line("ACCEPT 127.0.0.1:")))
      stub.set("xmpps-client", of: "capulet.example", [.init(Self.host, port: port)])
      stub.set(Self.host, .a, .addresses(["127.0.0.1"]))
      let daemon = try DaemonProcess(on: witness.bus, arguments: ["--dns-server", stub.address])
      defer { _ = try? daemon.terminate() }
      let account = try BusAccount(
        "juliet@capulet.example", on: witness.owner,
        ["password": .string("secret"), "ca-file": .string(certificate)])
      let connecting = try account.begin("Connect")
      #expect(try line("ALPN protocols advertised by the client: ") == "xmpp-client")
      try server.end(with: SIGTERM, within: .seconds(5))
      #expect(throws: RawBus.Refusal.self) { try witness.owner.finish(connecting) }
    }
  }
}
