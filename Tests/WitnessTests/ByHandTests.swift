// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// A person with busctl is a first-class client.
@Suite("By hand with busctl", .serialized, .timeLimit(.minutes(15)))
struct ByHandTests {
  private static let name = DaemonProcess.busName
  private static let properties = "org.freedesktop.DBus.Properties"

  /// What busctl prints, and what it says when it fails.
  private func busctl(_ witness: Witness, _ arguments: [String]) throws -> (output: String, errors: String) {
    let outcome = try run(["busctl", "--address=\(witness.bus.address)", "--no-pager"] + arguments)
    return (outcome.output, outcome.errors)
  }

  private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

  @Test("Every line of the introduction works as it stands, and answers as it should")
  func lines() async throws {
    try await Witness.run { witness in
      let (user, asker) = (try witness.user("juliet"), try witness.user("tybalt"))
      let path = "/org/nightcloak/Presence1/u\(getuid())/\(user)_40localhost"
      let (name, decloak) = (Self.name, "\(Self.name).Decloak")
      func by(_ line: String) throws -> String {
        let (output, errors) = try busctl(witness, words(line))
        #expect(errors == "", "\(line): \(errors)")
        return output.replacing(witness.bus.address, with: "")
      }
      #expect(
        try by(
          "call \(name) /org/nightcloak/Presence1 \(name).Manager AddConnection sa{sv} \(user)@localhost 4 "
            + "password s pass-\(user) server s 127.0.0.1 port q \(witness.server.clientPort) "
            + "ca-file s \(witness.server.certificate)") == "o \"\(path)\"\n")
      #expect(try by("tree \(name)").contains(path))
      witness.model.accounts["\(user)@localhost"] = Model.Account()
      witness.model.accounts["\(user)@localhost"]?.isVisible = true
      #expect(try by("call \(name) \(path) \(name).Connection Connect") == "")
      #expect(try by("get-property \(name) \(path) \(name).Connection Status") == "s \"connected\"\n")
      #expect(try by("set-property \(name) \(path) \(decloak) Policy s ask") == "")
      #expect(try by("call \(name) \(path) \(decloak) ListRequests") == "aa{sv} 0\n")
      let tybalt = try witness.client("tybalt", user: asker)
      try tybalt.send("<presence/>")
      try tybalt.send("<presence to='\(user)@localhost'>\(StrangerQuestion.dialects[0])</presence>")
      try tybalt.ping()
      let requests = try awaitRequest { try by("--json=short call \(name) \(path) \(decloak) ListRequests") }
      let id = try #require(requests.split(separator: "\"Id\":{\"type\":\"s\",\"data\":\"").dropFirst().first)
        .prefix { $0 != "\"" }
      try witness.step("the yes, by hand") {
        witness.model.accounts["\(user)@localhost"]?.sessions = [tybalt.jid]
        #expect(try by("call \(name) \(path) \(decloak) Approve ssa{sv} \(id) once 0") == "")
        try tybalt.expect("her presence") { $0["from"]?.hasPrefix("\(user)@localhost/") == true }
      }
      try witness.step("the end of it, by hand") {
        witness.model.accounts["\(user)@localhost"]?.sessions = []
        #expect(try by("call \(name) \(path) \(decloak) Revoke s \(tybalt.bare)") == "u 2\n")
        try tybalt.expect("her farewell") { $0["type"] == "unavailable" }
      }
      let asked = try witness.user("absent")
      let answer = try by(
        "call \(name) \(path) \(decloak) RequestDecloak ssa{sv} \(asked)@localhost media 1 wait u 50")
      #expect(answer.hasPrefix("sa{sv}") || answer.hasPrefix("saa{sv} "), "\(answer)")
      #expect(answer.hasSuffix(" 0\n"), "nobody is there: \(answer)")
      let introspection = try by("introspect \(name) \(path)")
      for member in [".RequestDecloak", ".ListSessions", ".Policy", ".DecloakRequested", ".SetInvisible", ".Jid"] {
        #expect(introspection.contains(member))
      }
      #expect(try by("call \(name) \(path) \(name).Connection Disconnect") == "")
    }
  }

  /// busctl receives no signal of ours, so it looks until there is something, for as long as a test may.
  private func awaitRequest(_ list: () throws -> String) throws -> String {
    let deadline = Deadline(.seconds(10))
    while !deadline.hasPassed {
      let requests = try list()
      if requests.contains("\"Id\"") { return requests }
    }
    throw WitnessError("the request is not listed")
  }

  @Test("Wrong arguments are refused with the right error, and a text that names what was wrong")
  func wrongArguments() async throws {
    try await Witness.run { witness in
      let account = try witness.account("juliet")
      let online = try witness.account("tybalt")
      try online.connect()
      let connected = (online.path, "org.nightcloak.Presence1.Decloak")
      let (standard, own) = ("org.freedesktop.DBus.Error.", "org.nightcloak.Presence1.Error.")
      let manager = ("/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager")
      func at(_ interface: String) -> (String, String) { (account.path, "org.nightcloak.Presence1.\(interface)") }
      let add = "AddConnection"
      let cases: [(on: (String, String), member: String, arguments: [BusValue], error: String, names: String)] = [
        (manager, add, [.string("no jid at all"), .options()], own + "InvalidJid", "account"),
        (manager, add, [.string("x@localhost/r"), .options()], own + "InvalidJid", "/r"),
        (manager, add, [.string(account.jid), .options()], own + "AlreadyExists", account.jid),
        (
          manager, add, [.string("x@localhost"), .options(["pasword": .string("x")])], standard + "InvalidArgs",
          "pasword"
        ),
        (manager, add, [.string("x@localhost"), .options(["port": .string("x")])], standard + "InvalidArgs", "port"),
        (
          manager, add, [.string("x@localhost"), .options(["tls": .string("never")])], standard + "InvalidArgs", "never"
        ),
        (
          manager, add, [.string("x@localhost"), .options(["persist": .bool(true)])], standard + "NotSupported",
          "persist"
        ),
        (
          manager, add, [.string("x@localhost"), .options(["mechanism": .string("none")])], standard + "InvalidArgs",
          "mechanism"
        ),
        (manager, add, [.string("x@localhost")], standard + "InvalidArgs", "sa{sv}"),
        (
          manager, "AddClientInterest", [.strings(["org.example.Nothing"])], standard + "InvalidArgs",
          "org.example.Nothing"
        ),
        (manager, "RemoveConnection", [.path("/nowhere"), .options()], standard + "UnknownObject", "/nowhere"),
        (
          at("Connection"), "SetPresence", [.string("asleep"), .string(""), .options()], standard + "InvalidArgs",
          "asleep"
        ),
        (at("Connection"), "NoSuchMember", [], standard + "UnknownMethod", "NoSuchMember"),
        (
          connected, "Approve", [.string("never-1"), .string("once"), .options()], own + "NoSuchRequest", "never-1"
        ),
        (
          connected, "Approve", [.string("never-1"), .string("always"), .options()], standard + "InvalidArgs",
          "always"
        ),
        (connected, "Deny", [.string("never-1"), .string("once"), .options()], own + "NoSuchRequest", "never-1"),
        (
          at("Decloak"), "RequestDecloak", [.string("tybalt@localhost"), .string("media"), .options()],
          own + "NotConnected", "onnect"
        ),
        (
          at("Decloak"), "RequestDecloak", [.string("tybalt@localhost"), .string("chess"), .options()],
          standard + "InvalidArgs", "chess"
        ),
        (
          at("Decloak"), "RequestDecloak",
          [.string("tybalt@localhost"), .string("media"), .options(["wait": .uint32(120_001)])],
          standard + "InvalidArgs", "wait"
        ),
        (
          at("Decloak"), "RequestDecloak",
          [.string("tybalt@localhost"), .string("media"), .options(["patience": .uint32(1)])],
          standard + "InvalidArgs", "patience"
        ),
        (at("Decloak"), "SetRule", [.string("@localhost"), .string("perhaps")], standard, ""),
      ]
      for (on, member, arguments, error, names) in cases {
        do {
          let reply = try witness.owner.call(Self.name, on.0, on.1, member, arguments)
          Issue.record("\(member)\(arguments) is accepted: \(reply)")
        } catch let refusal as RawBus.Refusal {
          #expect(refusal.name.hasPrefix(error), "\(member)\(arguments): \(refusal)")
          #expect(refusal.text.contains(names), "\(member)\(arguments): \(refusal)")
        }
      }
      func refusal(_ interface: OurAccount.Interface, _ property: String, _ value: BusValue) -> String {
        do {
          try account.set(interface, property, value)
          return "accepted"
        } catch { return (error as? RawBus.Refusal)?.name ?? "\(error)" }
      }
      #expect(refusal(.Decloak, "Policy", .string("maybe")) == standard + "InvalidArgs")
      #expect(refusal(.Decloak, "Policy", .uint32(1)) == standard + "InvalidArgs")
      #expect(refusal(.Decloak, "PendingRequests", .uint32(1)) == standard + "PropertyReadOnly")
      #expect(refusal(.Decloak, "NoSuchProperty", .uint32(1)) == standard + "UnknownProperty")
      #expect(try account.get(.Decloak, "Policy") == .string("off"))
    }
  }

  @Test("What keeps an account from connecting is said by the error: password, certificate, network")
  func failures() async throws {
    try await Witness.run { witness in
      func outcome(_ role: String, _ parameters: KeyValuePairs<String, BusValue>) throws -> String {
        let account = try witness.account(role, parameters: parameters)
        do {
          try account.call(.Connection, "Connect")
          return "connected"
        } catch let refusal as RawBus.Refusal {
          let (status, reason) = (try account.get(.Connection, "Status"), try account.get(.Connection, "StatusReason"))
          #expect(status.text == "disconnected")
          #expect(reason.text != "")
          return refusal.name.replacing("org.nightcloak.Presence1.Error.", with: "")
        }
      }
      let outcomes = [
        try outcome("wrong", ["password": .string("guessed")]),
        try outcome("untrusting", ["ca-file": .string("/etc/ssl/certs/ca-certificates.crt")]),
        try outcome("nobodyhome", ["port": .uint16(1)]),
        try outcome("plain", ["tls": .string("off")]),
        try outcome("elsewhere", ["tls": .string("off"), "server": .string("192.0.2.1")]),
      ]
      #expect(outcomes == ["AuthenticationFailed", "CertificateRejected", "NetworkError", "connected", "NetworkError"])
    }
  }
}
