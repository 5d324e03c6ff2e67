// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// What a person sees of certificates, over the bus.
@Suite("Certificates, over the bus", .serialized, .timeLimit(.minutes(15)))
struct CertificateWitnessTests {
  /// The hash of the server's certificate as openssl(1) writes it: in capitals, with colons.
  private func fingerprint(_ witness: Witness) throws -> String {
    try fingerprint(of: witness.server.certificate)
  }

  private func fingerprint(of file: String) throws -> String {
    let shown = try run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", file])
    return String(shown.output.split(separator: "=")[1].prefix { $0 != "\n" })
  }

  private func normal(_ fingerprint: String) -> String { fingerprint.replacing(":", with: "").lowercased() }

  @Test("The server is known by its certificate's hash, as openssl writes it, and Security shows it")
  func pinned() async throws {
    try await Witness.run { witness in
      let hash = try fingerprint(witness)
      let account = try witness.account("juliet", parameters: ["fingerprint": .string(hash)])
      try account.connect()
      #expect("\(try account.get(.Connection, "Security"))".contains(normal(hash)))
    }
  }

  @Test("An expired certificate is refused, and accepted by its hash")
  func expired() async throws {
    try await Witness.run { witness in
      let server = try XMPPServer(settings: ["ACCOUNTS": "juliet:secret nurse:secret", "EXPIRED": "yes"])
      func account(_ jid: String, _ trust: [String: BusValue]) throws -> BusAccount {
        let parameters: [String: BusValue] = [
          "password": .string("secret"), "server": .string("127.0.0.1"), "port": .uint16(server.clientPort),
        ]
        return try BusAccount(jid, on: witness.owner, parameters.merging(trust) { $1 })
      }
      let refusal = try account("juliet@localhost", ["ca-file": .string(server.certificate)]).refusal()
      #expect(refusal?.name == "org.nightcloak.Presence1.Error.CertificateRejected")
      #expect(refusal?.text.hasPrefix("The certificate") == true && refusal?.text.hasSuffix(".") == true)
      for part in ["expired", normal(try fingerprint(of: server.certificate))] {
        #expect(refusal?.text.contains(part) == true, "\(part): \(refusal?.text ?? "")")
      }
      let pinned = try account(
        "nurse@localhost", ["fingerprint": .string(try fingerprint(of: server.certificate))]
      ).refusal()
      #expect(pinned == nil, "\(pinned?.text ?? "")")
    }
  }

  @Test("Another certificate than the named one is refused, with its hash and what to do; so is one nobody vouches for")
  func refused() async throws {
    try await Witness.run { witness in
      let hash = try fingerprint(witness)
      let authorities = "/etc/ssl/certs/ca-certificates.crt"
      for (role, parameters) in [
        ("pinned", ["fingerprint": .string(String(repeating: "0", count: 64))]),
        ("unvouched", ["ca-file": .string(authorities)]),
      ] as [(String, KeyValuePairs<String, BusValue>)] {
        let account = try witness.account(role, parameters: parameters)
        let refusal = #expect(throws: RawBus.Refusal.self) { try account.call(.Connection, "Connect") }
        #expect(refusal?.name == "org.nightcloak.Presence1.Error.CertificateRejected")
        let reason = try account.get(.Connection, "StatusReason").text
        for text in [refusal?.text, reason] {
          for part in ["CN=localhost", " UTC", normal(hash), "set fingerprint to that"] {
            #expect(text?.contains(part) == true, "\(part): \(text ?? "")")
          }
        }
        #expect(try account.get(.Connection, "Status").text == "disconnected")
      }
    }
  }

  /// A key with a certificate of its own, in one file.
  private func makeCertificate(_ name: String, in directory: TemporaryDirectory) throws -> String {
    let (key, file) = (directory.file("key"), directory.file("\(name).pem"))
    let made = try run(
      [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)", "-keyout", key, "-out",
        file,
      ])
    try #require(made.ending == .status(0), "\(made.errors)")
    try writeFile(file, readFile(file) + readFile(key))
    return file
  }

  @Test("An account with a certificate of its own logs in where the server wants a password")
  func own() async throws {
    try await Witness.run { witness in
      let directory = try TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      let file = try makeCertificate("juliet", in: directory)
      let account = try witness.account("juliet", parameters: ["client-certificate": .string(file)])
      try account.connect()
      #expect(witness.daemon?.log.contains("PRIVATE KEY") == false)
    }
  }

  @Test("A server that asks for the account's certificate is shown it")
  func shown() async throws {
    try await Witness.run { witness in
      let directory = try TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      let (ours, theirs) = (try makeCertificate("juliet", in: directory), try makeCertificate("theirs", in: directory))
      let server = try ChildProcess(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-Verify", "1", "-cert", theirs, "-key", theirs])
      func line(_ start: String) throws -> String {
        while let line = try server.line(within: .seconds(10)) {
          if line.hasPrefix(start) { return String(line.dropFirst(start.count)) }
        }
        throw WitnessError("openssl says no \"\(start)\"")
      }
      let port = try #require(UInt16(try line("ACCEPT 127.0.0.1:")))
      let account = try witness.account(
        "juliet",
        parameters: [
          "client-certificate": .string(ours), "tls": .string("direct"), "port": .uint16(port),
          "fingerprint": .string(try fingerprint(of: theirs)),
        ])
      let connecting = try account.begin(.Connection, "Connect")
      #expect(try line("subject=").contains("juliet"))
      try server.end(with: SIGTERM, within: .seconds(5))
      #expect(throws: RawBus.Refusal.self) { try witness.owner.finish(connecting) }
    }
  }

  @Test("A file that is protected by a passphrase is refused: nobody is asked for it, and nothing waits for an answer")
  func passphrase() async throws {
    try await Witness.run { witness in
      let directory = try TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      let (authorities, key) = (directory.file("authorities"), directory.file("protected"))
      let begin = "-----BEGIN CERTIFICATE-----\n"
      let cipher = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
      try writeFile(authorities, readFile(witness.server.certificate).replacing(begin, with: begin + cipher))
      let untrusting = try witness.account("juliet", parameters: ["ca-file": .string(authorities)])
      let rejected = #expect(throws: RawBus.Refusal.self) { try untrusting.call(.Connection, "Connect") }
      #expect(rejected?.name == "org.nightcloak.Presence1.Error.CertificateRejected")
      #expect(rejected?.text.contains(authorities) == true)
      let file = try makeCertificate("tybalt", in: directory)
      let made = try run(["openssl", "pkey", "-in", file, "-aes128", "-passout", "pass:sesame", "-out", key])
      try #require(made.ending == .status(0), "\(made.errors)")
      try writeFile(key, readFile(witness.server.certificate) + readFile(key))
      let refused = #expect(throws: RawBus.Refusal.self) {
        try witness.account("tybalt", parameters: ["client-certificate": .string(key)])
      }
      #expect(refused?.text.contains("passphrase") == true)
    }
  }
}
