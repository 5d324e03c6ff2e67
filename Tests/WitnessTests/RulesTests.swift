// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// What is decided beforehand about those who ask, and what is remembered of them.
@Suite("Rules", .serialized, .timeLimit(.minutes(15)))
struct RulesTests {
  private static let standard = "org.freedesktop.DBus.Error."
  private static let own = "org.nightcloak.Presence1.Error."
  private let request = StrangerQuestion.dialects[0]

  private func rules(_ account: OurAccount) throws -> [String] {
    let rules = try account.get(.Decloak, "Rules")
    return rules.keys.sorted().map { "\($0) \(rules[$0]?.text ?? "")" }
  }

  /// The decisions as one line each, the newest first.
  private func decisions(
    _ account: OurAccount, _ contact: String = "", _ options: KeyValuePairs<String, BusValue> = [:]
  ) throws -> [String] {
    let arguments: [BusValue] = [.string(contact), .uint64(0), .options(options)]
    return try account.call(.Decloak, "ListDecisions", arguments)[0].list.map { entry in
      let judge = [entry["DecidedBy"]?.text, entry["Rule"]?.text, entry["Uid"]?.number.map(String.init)]
      return ([entry["Contact"]?.text, entry["Outcome"]?.text] + judge).compactMap { $0 }.joined(separator: " ")
    }
  }

  /// Answers the request of somebody who waits.
  private func answer(_ account: OurAccount, _ member: String, _ client: RawClient, scope: String) throws {
    let waiting = try account.call(.Decloak, "ListRequests")[0].list.first { $0["Contact"]?.text == client.bare }
    let id = try #require(waiting?["Id"])
    try account.call(.Decloak, member, [.string(id.text), .string(scope), .options()])
  }

  @Test(
    "Policy and rules hold again before the first request, however the program ended; who asked meanwhile is listed")
  func remembered() async throws {
    try await Witness.run(withDaemon: false) { witness in
      let state = try TemporaryDirectory()
      defer { withExtendedLifetime(state) {} }
      let juliet = try witness.user("juliet")
      let (friend, stranger) = (try witness.client("friend"), try witness.client("stranger"))
      for client in [friend, stranger] { try client.send("<presence/>") }
      func run(_ body: (OurAccount) throws -> Void) throws {
        let daemon = try DaemonProcess(on: witness.bus, stateDirectory: state.file("state"))
        let account = try witness.account("juliet", user: juliet)
        defer {
          account.isGone()
          _ = try? daemon.process.end(with: SIGKILL, within: .seconds(5))
        }
        try body(account)
      }
      // The replies are the last things that the program does.
      try run { try $0.set(.Decloak, "Policy", .string("rules")) }
      try run { try $0.call(.Decloak, "SetRule", [.string(friend.bare), .string("allow")]) }
      try run { account in
        #expect(try account.get(.Decloak, "Policy") == .string("rules"))
        #expect(try rules(account) == ["\(friend.bare) allow"])
        try account.connect()
        let full = try account.fullJID()
        try witness.step("both ask, and nobody watches") {
          witness.model.accounts[account.jid]?.sessions = [friend.jid]
          for client in [stranger, friend] { try client.send("<presence to='\(full)'>\(request)</presence>") }
          try friend.expect("her presence") { $0["from"] == full && $0["type"] == nil }
        }
        try witness.forbid("anything of an account whose rules do not know it", at: stranger) { $0["from"] == full }
      }
      witness.model.accounts["\(juliet)@localhost"]?.sessions = []
      try run { account in
        #expect(
          try decisions(account).sorted()
            == [
              "\(friend.bare) approved rule \(friend.bare)", "\(stranger.bare) denied policy",
            ].sorted())
        try account.call(.Decloak, "SetRule", [.string(friend.bare), .string("")])
        try account.set(.Decloak, "Policy", .string("off"))
      }
      try run { account in
        #expect(try account.get(.Decloak, "Policy") == .string("off"))
        #expect(try rules(account).isEmpty)
        #expect(try decisions(account).count == 2)
        let manager = "org.nightcloak.Presence1.Manager"
        try witness.owner.call(
          DaemonProcess.busName, "/org/nightcloak/Presence1", manager, "RemoveConnection",
          [.path(account.path), .options(["forget": .bool(true)])])
        #expect(try decisions(try witness.account("juliet", user: juliet)).isEmpty)
      }
    }
  }

  @Test("An answer may hold from now on, for a contact or a domain; each change of the rules is told once")
  func scopes() async throws {
    try await Witness.run { witness in
      let account = try witness.account("juliet")
      let (one, two, three) = (try witness.client("one"), try witness.client("two"), try witness.client("three"))
      try witness.owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
        [.strings(["org.nightcloak.Presence1.Decloak"])])
      func told(_ step: () throws -> Void) throws -> Int {
        witness.owner.passAll()
        try step()
        try witness.fence()
        return witness.owner.unexpected.filter {
          $0.member == "PropertiesChanged" && $0.arguments.last?.list.contains(.string("Rules")) == true
        }.count
      }
      func setRule(_ subject: String, _ decision: String) throws {
        try account.call(.Decloak, "SetRule", [.string(subject), .string(decision)])
      }
      try account.connect()
      try account.set(.Decloak, "Policy", .string("ask"))
      #expect(try told { try setRule("@Montague.LIT", "deny") } == 1)
      #expect(try told { try setRule("@montague.lit", "deny") } == 0)
      #expect(try told { try setRule("tybalt@localhost", "") } == 0)
      #expect(try rules(account) == ["@montague.lit deny"])
      #expect(try told { try setRule("@montague.lit", "") } == 1)
      let full = try account.fullJID()
      let stanza = "<presence to='\(full)'>\(request)</presence>"
      try witness.step("two ask, and have to wait") {
        for client in [one, two] { try client.send(stanza) }
      }
      #expect(try told { try answer(account, "Deny", one, scope: "contact") } == 1)
      try witness.step("one is refused, and so is the next time") { try one.send(stanza) }
      try witness.step("two is shown her, as all of that domain will be") {
        witness.model.accounts[account.jid]?.sessions = [two.jid]
        #expect(try told { try answer(account, "Approve", two, scope: "domain") } == 1)
        try two.expect("her presence") { $0["from"] == full && $0["type"] == nil }
      }
      try witness.step("three asks, and is answered by that") {
        witness.model.accounts[account.jid]?.sessions.insert(three.jid)
        try three.send(stanza)
        try three.expect("her presence") { $0["from"] == full && $0["type"] == nil }
      }
      try witness.forbid("anything after a no", at: one) { $0["from"] == full }
      #expect(try rules(account) == ["@localhost allow", "\(one.bare) deny"].sorted())
      let all = [
        "\(three.bare) approved rule @localhost", "\(two.bare) approved person \(getuid())",
        "\(one.bare) denied person \(getuid())",
      ]
      #expect(try decisions(account) == all)
      #expect(try decisions(account, one.bare) == [all[2]])
      #expect(try decisions(account, "", ["limit": .uint32(1)]) == [all[0]])
      let first = try account.call(.Decloak, "ListDecisions", [.string(""), .uint64(0), .options()])[0].list[0]
      #expect(try decisions(account, "", ["after": .string(first["Id"]?.text ?? "")]) == Array(all.dropFirst()))
      try witness.step("the account disconnects") {
        witness.model.accounts[account.jid]?.sessions = []
        try account.disconnect()
      }
    }
  }

  @Test("What is wrong is refused by name, and changes nothing")
  func refused() async throws {
    try await Witness.run { witness in
      let account = try witness.account("juliet")
      let (standard, own) = (Self.standard, Self.own)
      func listing(_ contact: String, _ options: KeyValuePairs<String, BusValue> = [:]) -> [BusValue] {
        [.string(contact), .uint64(0), .options(options)]
      }
      let cases: [(member: String, arguments: [BusValue], error: String, names: String)] = [
        ("SetRule", [.string("a@b"), .string("maybe")], standard + "InvalidArgs", "maybe"),
        ("SetRule", [.string("a@b/c"), .string("allow")], own + "InvalidJid", "subject"),
        ("SetRule", [.string("@a@b"), .string("allow")], own + "InvalidJid", "@a@b"),
        ("SetRule", [.string(""), .string("")], own + "InvalidJid", "subject"),
        ("SetRule", [.string("to:*@b"), .string("allow")], standard + "InvalidArgs", "to:*@b"),
        ("SetRule", [.string(account.jid), .string("deny")], standard + "InvalidArgs", "itself"),
        ("Approve", [.string("x-1"), .string("always"), .options()], standard + "InvalidArgs", "always"),
        ("Approve", [.string("x-1"), .string("domain"), .options()], own + "NoSuchRequest", "x-1"),
        ("Deny", [.string("x-1"), .string("contact"), .options()], own + "NoSuchRequest", "x-1"),
        ("ListDecisions", listing("a@b/c"), own + "InvalidJid", "/c"),
        ("ListDecisions", listing("", ["limit": .uint32(5001)]), standard + "InvalidArgs", "limit"),
        ("ListDecisions", listing("", ["before": .string("x")]), standard + "InvalidArgs", "before"),
      ]
      for (member, arguments, error, names) in cases {
        do {
          try account.call(.Decloak, member, arguments)
          Issue.record("\(member) is accepted where \(names) should be refused")
        } catch let refusal as RawBus.Refusal {
          #expect(refusal.name == error, "\(member): \(refusal)")
          #expect(refusal.text.contains(names), "\(member): \(refusal)")
        }
      }
      #expect(try rules(account).isEmpty && decisions(account).isEmpty)
    }
  }
}
