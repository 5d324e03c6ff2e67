// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import DBus
import EventLoop
import Glibc
import Support
import TLS
import Testing
import XMPP

@testable import PresenceService

@Suite("What an account proves itself by, and knows its server by", .timeLimit(.minutes(1)))
struct ParametersTests {
  private let hash = String(repeating: "0aF9", count: 16)

  init() { EventLoop.runInBackground() }

  /// A key and its certificate, in a file that goes with this object.
  private struct Certificate: @unchecked Sendable {
    let directory: TemporaryDirectory
    let file: String
    let pem: String

    init() throws {
      directory = try TemporaryDirectory()
      let (key, certificate) = (directory.file("key"), directory.file("certificate"))
      let made = try run(
        [
          "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
          "/CN=juliet", "-keyout", key, "-out", certificate,
        ])
      try #require(made.ending == .status(0), "\(made.errors)")
      pem = readFile(certificate) + readFile(key)
      file = directory.file("client.pem")
      try writeFile(file, pem)
    }
  }

  /// Makes one without holding up the loop, which other tests share.
  private func makeCertificate() async throws -> Certificate {
    try await offLoop { Result { try Certificate() } }.get()
  }

  @LoopActor
  private func read(_ parameters: [String: Value], for uid: UInt32 = getuid()) async throws -> AccountConfiguration {
    try await Parameters.read(try BareJID("juliet@localhost"), parameters, for: uid)
  }

  /// Why these are refused.
  @LoopActor
  private func refusal(_ parameters: [String: Value], for uid: UInt32 = getuid()) async throws -> DBusError {
    try #require(
      await #expect(throws: DBusError.self, "\(parameters)") { try await read(parameters, for: uid) })
  }

  @Test("A priority is taken as n, and as what most languages make of a number; beyond a byte it is none")
  @LoopActor func priority() async throws {
    func with(_ value: Value) -> [String: Value] { ["password": .string("secret"), "priority": value] }
    #expect(try await read(["password": .string("secret")]).priority == nil)
    for value in [Value.int16(-128), .int32(-128)] { #expect(try await read(with(value)).priority == -128) }
    for value in [Value.int16(128), .int32(-129), .int32(70_000)] {
      #expect(try await refusal(with(value)).message.contains("from -128 to 127"))
    }
    #expect(try await refusal(with(.string("1"))).message.contains("must be of type n, not s"))
  }

  @Test("A fingerprint is taken in every way that people write it, and nothing else is one")
  @LoopActor func fingerprint() async throws {
    let normal = hash.lowercased()
    let colons = Array(repeating: "0a:F9", count: 16).joined(separator: ":")
    for text in [hash, normal, hash.uppercased(), colons] {
      #expect(try await read(["password": "p", "fingerprint": .string(text)]).client.fingerprint == normal)
    }
    for text in ["", "00", hash + "0", hash + "\n", String(hash.dropLast()) + "x"] {
      let error = try await refusal(["password": "p", "fingerprint": .string(text)])
      #expect(error.name == .invalidArgs)
      #expect(error.message.contains("\"fingerprint\""))
    }
    #expect(try await read(["password": "p"]).client.fingerprint == nil)
  }

  @Test("What does not go together, and nothing to log in with, is refused by name")
  @LoopActor func together() async throws {
    let made = try await makeCertificate()
    defer { withExtendedLifetime(made) {} }
    let pin = Value.string(hash)
    let cases: [(parameters: [String: Value], word: String)] = [
      (["password": "p", "fingerprint": pin, "ca-file": "/ca"], "\"ca-file\""),
      (["password": "p", "fingerprint": pin, "tls": "off"], "\"fingerprint\""),
      (["password": "p", "client-certificate": .string(made.file), "tls": "off"], "\"client-certificate\""),
      ([:], "\"password\""), (["fingerprint": pin], "\"password\""), (["server": "s"], "\"client-certificate\""),
      (["password": "p", "accept-weaker-login": "yes"], "\"accept-weaker-login\""),
      (["password": "p", "ca-file": "ca.pem"], "\"ca-file\""), (["password": "p", "ca-file": ""], "\"ca-file\""),
      (["password": "p", "port": .uint16(0)], "\"port\""), (["password": "p", "server": ""], "\"server\""),
      (["password": "p", "client-certificate": true], "\"client-certificate\""),
      (["password": "p", "fingerprint": true], "\"fingerprint\""),
      (["client-certificate": .string(made.file), "client-certificates": "x"], "\"client-certificates\""),
    ]
    for (parameters, word) in cases {
      let error = try await refusal(parameters)
      #expect(error.name == .invalidArgs)
      #expect(error.message.contains(word), "\(parameters): \(error)")
    }
  }

  @Test("A certificate makes do for a password, and goes beside one")
  @LoopActor func certificate() async throws {
    let made = try await makeCertificate()
    defer { withExtendedLifetime(made) {} }
    let alone = try await read(["client-certificate": .string(made.file)])
    #expect(try alone.client.clientCertificate == ClientCertificate(pem: Array(made.pem.utf8)))
    #expect(alone.client.password == "")
    let both = try await read(["client-certificate": .string(made.file), "password": "secret"])
    #expect(try both.client.clientCertificate == ClientCertificate(pem: Array(made.pem.utf8)))
    #expect(both.client.password == "secret")
    #expect(try await read(["password": "secret"]).client.clientCertificate == nil)
  }

  @Test("A certificate comes through a descriptor whole, as large as one may be and no larger")
  @LoopActor func descriptor() async throws {
    let made = try await makeCertificate()
    defer { withExtendedLifetime(made) {} }
    let most = Credentials.mostCertificateBytes
    let largest = made.pem + String(repeating: "\n", count: most - made.pem.utf8.count)
    for (content, isTaken) in [(made.pem, true), (largest, true), (largest + "\n", false)] {
      var ends: [Int32] = [-1, -1]
      // A pipe would not hold it all.
      try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
      #expect(write(ends[1], content, content.utf8.count) == content.utf8.count)
      shutdown(ends[1], Int32(SHUT_RDWR))
      close(ends[1])
      let parameters: [String: Value] = ["client-certificate-fd": .unixFD(UnixFD(owning: ends[0]))]
      if isTaken {
        #expect(try await read(parameters).client.clientCertificate == ClientCertificate(pem: Array(content.utf8)))
      } else {
        let error = try await refusal(parameters)
        #expect(error.name == .limitsExceeded)
        #expect(error.message.contains("\"client-certificate-fd\""))
      }
    }
    let open = UnixFD(owning: open(made.file, O_RDONLY | O_CLOEXEC))
    #expect(try await refusal(["client-certificate-fd": .unixFD(open)]).message.contains("\"client-certificate-fd\""))
    let both = ["client-certificate": Value.string(made.file), "client-certificate-fd": .unixFD(open)]
    #expect(try await refusal(both).message.contains("not both"))
  }

  @Test("Nobody borrows another's key, or learns whether there is one")
  @LoopActor func foreign() async throws {
    let made = try await makeCertificate()
    defer { withExtendedLifetime(made) {} }
    // As long as the true path.
    let absent = String(made.file.dropLast(3)) + "key"
    let forbidden = try await refusal(["client-certificate": .string(made.file)], for: getuid() + 1)
    let missing = try await refusal(["client-certificate": .string(absent)], for: getuid() + 1)
    #expect(forbidden.name == .invalidArgs && missing.name == .invalidArgs)
    #expect(forbidden.message.replacing(made.file, with: absent) == missing.message)
    #expect(forbidden.message.contains("\"client-certificate-fd\""))
    let link = made.directory.file("link")
    symlink(made.file, link)
    #expect(try await refusal(["client-certificate": .string(link)], for: getuid() + 1).name == .invalidArgs)
    #expect(
      try await read(["client-certificate": .string(link)]).client.clientCertificate
        == ClientCertificate(pem: Array(made.pem.utf8)))
  }

  @Test("A file that is not a regular one does not hold us up; one that is too large or no certificate is refused")
  @LoopActor func files() async throws {
    let made = try await makeCertificate()
    defer { withExtendedLifetime(made) {} }
    let (fifo, large, text, spoilt) = (
      made.directory.file("fifo"), made.directory.file("large"), made.directory.file("text"),
      made.directory.file("spoilt")
    )
    #expect(mkfifo(fifo, 0o600) == 0)
    try writeFile(large, made.pem + String(repeating: "\n", count: Credentials.mostCertificateBytes))
    try writeFile(text, "no certificate")
    try writeFile(spoilt, made.pem.replacing("BEGIN PRIVATE", with: "BEGIN NO"))
    for path in [fifo, made.directory.path, "/dev/zero", "client.pem", "", large, text, spoilt] {
      let error = try await refusal(["client-certificate": .string(path)])
      #expect(error.name == (path == large ? .limitsExceeded : .invalidArgs))
      #expect(error.message.contains("\"client-certificate\""), "\(error)")
    }
    // Where the daemon was started is not to matter.
    #expect(try await refusal(["client-certificate": "client.pem"]).message.contains("begins with"))
    #expect(try await refusal(["client-certificate": .string(spoilt)]).message.contains("no private key"))
  }

  @Test("A weaker way of logging in is accepted where that is said, and only there")
  @LoopActor func weaker() async throws {
    #expect(try await read(["password": "p"]).client.acceptsWeakerLogin == false)
    #expect(try await read(["password": "p", "accept-weaker-login": false]).client.acceptsWeakerLogin == false)
    #expect(try await read(["password": "p", "accept-weaker-login": true]).client.acceptsWeakerLogin)
  }

  @Test("Who may see the account, and by which means, is taken as given")
  @LoopActor func visibility() async throws {
    let plain = try await read(["password": "p"])
    #expect(plain.visibility == .visible)
    #expect(plain.mechanism == nil && !plain.trustsUnannounced)
    #expect(try await read(["password": "p", "visibility": "invisible"]).visibility == .invisible)
    let contacts = ["Romeo@localhost", "group:Friends"].value
    let only = try await read(["password": "p", "visibility": "only", "contacts": contacts]).visibility
    #expect(only == VisibilityWish(showsOthers: false, contacts: [BareAddress("romeo@localhost")], groups: ["Friends"]))
    let except = try await read(["password": "p", "visibility": "except", "contacts": contacts]).visibility
    #expect(except.mode == .except)
    for mechanism in Mechanism.allCases where mechanism != .none {
      #expect(
        try await read(["password": "p", "mechanism": .string(mechanism.rawValue)]).mechanism == mechanism)
    }
    let forced = try await read(["password": "p", "mechanism": "invisible-presence", "trust-unannounced": true])
    #expect(forced.mechanism == .invisiblePresence && forced.trustsUnannounced)
  }

  @Test("Of visibility, what is unknown or does not go together is refused by name")
  @LoopActor func visibilityRefused() async throws {
    let contacts = ["romeo@localhost"].value
    let cases: [(parameters: [String: Value], word: String)] = [
      (["visibility": "hidden"], "\"hidden\""), (["contacts": contacts], "\"contacts\""),
      (["visibility": "only", "contacts": "romeo@localhost"], "\"contacts\""),
      (["mechanism": "none"], "\"none\""), (["mechanism": "block"], "\"block\""),
      (["mechanism": "directed", "trust-unannounced": true], "\"trust-unannounced\""),
    ]
    for (parameters, word) in cases {
      let error = try await refusal(parameters.merging(["password": "p"]) { old, _ in old })
      #expect(error.name == .invalidArgs)
      #expect(error.message.contains(word), "\(parameters): \(error)")
    }
    let wrong: [([String: Value], AccountError.Code)] = [
      (["visibility": "only", "contacts": ["a@b/c"].value], .invalidJID),
      (["visibility": "visible", "contacts": contacts], .invalidArgument),
      (["visibility": "except", "contacts": ["juliet@localhost"].value], .invalidArgument),
    ]
    for (parameters, code) in wrong {
      let error = await #expect(throws: AccountError.self) { try await read(parameters) }
      #expect(error?.code == code)
    }
  }
}
