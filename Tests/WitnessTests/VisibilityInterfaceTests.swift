// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// Visibility as the bus has it: what can be asked and set, what is refused, and what is remembered.
@Suite("The interface of Visibility", .serialized, .timeLimit(.minutes(15)))
struct VisibilityInterfaceTests {
  private static let standard = "org.freedesktop.DBus.Error."
  private static let own = "org.nightcloak.Presence1.Error."

  /// Mode and Contacts, as busctl would show them.
  private func state(_ account: OurAccount) throws -> String {
    let contacts = try account.get(.Visibility, "Contacts").list.map(\.text)
    return ([try account.get(.Visibility, "Mode").text] + contacts).joined(separator: " ")
  }

  private func set(_ account: OurAccount, _ mode: String, _ contacts: [String]) throws {
    try account.call(.Visibility, "SetVisibility", [.string(mode), .strings(contacts), .options()])
  }

  @Test("While not connected what is wanted is kept, and said to be pending; Contacts can be given back as they are")
  func wanted() async throws {
    try await Witness.run { witness in
      let account = try witness.account("juliet")
      func expect(_ wanted: String) throws { #expect(try state(account) == wanted) }
      try expect("visible")
      #expect(try account.get(.Visibility, "Pending") == .bool(true))
      #expect(try account.get(.Visibility, "Mechanism") == .string("none"))
      #expect(try account.get(.Visibility, "Supported") == .strings([]))
      #expect(try account.get(.Visibility, "Degraded") == .strings([]))
      try account.call(.Visibility, "HideFrom", [.strings(["Tybalt@LOCALHOST", "group:Kin", "paris@localhost"])])
      try expect("except group:Kin paris@localhost tybalt@localhost")
      try account.call(.Visibility, "ShowTo", [.strings(["paris@localhost"])])
      try expect("except group:Kin not:paris@localhost tybalt@localhost")
      let contacts = try account.get(.Visibility, "Contacts").list.map(\.text)
      try account.call(.Visibility, "SetInvisible")
      try expect("invisible")
      try set(account, "except", contacts)
      try expect("except group:Kin not:paris@localhost tybalt@localhost")
      try account.call(.Visibility, "ShowTo", [.strings([])])
      try account.call(.Visibility, "HideFrom", [.strings([])])
      try expect("except group:Kin not:paris@localhost tybalt@localhost")
      try account.call(.Visibility, "ShowTo", [.strings(["group:Kin", "tybalt@localhost"])])
      try expect("visible")
      try set(account, "only", ["group:Kin"])
      try expect("only group:Kin")
      try account.call(.Visibility, "SetVisible")
      try expect("visible")
      #expect(try account.call(.Visibility, "CanSee", [.string("a@b")]) == [.bool(false), .string("not-connected")])
      #expect(try account.call(.Visibility, "ListAudience", [.options()]) == [.array("a{sv}", [])])
    }
  }

  @Test("What is wrong is refused by name, and changes nothing")
  func refused() async throws {
    try await Witness.run { witness in
      let account = try witness.account(
        "juliet", parameters: ["visibility": .string("only"), "contacts": .strings(["romeo@localhost"])])
      let (standard, own) = (Self.standard, Self.own)
      func setting(_ mode: String, _ contacts: [String], _ options: KeyValuePairs<String, BusValue> = [:]) -> [BusValue]
      {
        [.string(mode), .strings(contacts), .options(options)]
      }
      let many = (0...11_000).map { "c\($0)@localhost" }
      let cases: [(member: String, arguments: [BusValue], error: String, names: String)] = [
        ("SetVisibility", setting("hidden", []), standard + "InvalidArgs", "hidden"),
        ("SetVisibility", setting("visible", ["a@b"]), standard + "InvalidArgs", "visible"),
        ("SetVisibility", setting("invisible", ["group:Kin"]), standard + "InvalidArgs", "invisible"),
        ("SetVisibility", setting("only", ["a@b", "not:c@d"]), standard + "InvalidArgs", "not:c@d"),
        ("SetVisibility", setting("only", ["group:g", "c@d", "not:c@d"]), standard + "InvalidArgs", "c@d"),
        ("SetVisibility", setting("only", [], ["bind": .bool(true)]), standard + "InvalidArgs", "bind"),
        ("SetVisibility", setting("only", [], ["probe": .string("no")]), standard + "InvalidArgs", "probe"),
        ("SetVisibility", setting("only", ["a@b", "a b@c"]), own + "InvalidJid", "a b@c"),
        ("SetVisibility", setting("only", many), standard + "LimitsExceeded", "11000"),
        ("SetVisibility", setting("only", many.dropLast(1000)), standard + "LimitsExceeded", "10000"),
        ("HideFrom", [.strings(["a@b/c"])], own + "InvalidJid", "a@b/c"),
        ("HideFrom", [.strings(["group:"])], standard + "InvalidArgs", "group:"),
        ("HideFrom", [.strings(["not:a@b"])], standard + "InvalidArgs", "not:a@b"),
        ("HideFrom", [.strings([account.jid])], standard + "InvalidArgs", account.jid),
        ("ShowTo", [.strings(["@b"])], own + "InvalidJid", "@b"),
        ("ShowTo", [.strings(["group:" + String(repeating: "x", count: 1025)])], standard + "LimitsExceeded", "1025"),
        ("ShowTo", [.strings(Array(many.prefix(10_000)))], standard + "LimitsExceeded", "10000"),
        ("ShowTo", [.string("a@b")], standard + "InvalidArgs", "as"),
        ("CanSee", [.string("a b@c")], own + "InvalidJid", "a b@c"),
        ("ListAudience", [.options(["limit": .uint32(0)])], standard + "InvalidArgs", "limit"),
      ]
      for (member, arguments, error, names) in cases {
        do {
          try account.call(.Visibility, member, arguments)
          Issue.record("\(member) is accepted where \(names) should be refused")
        } catch let refusal as RawBus.Refusal {
          #expect(refusal.name == error, "\(member): \(refusal)")
          #expect(refusal.text.contains(names), "\(member): \(refusal)")
        }
      }
      #expect(try state(account) == "only romeo@localhost")
      func refusal(_ parameters: KeyValuePairs<String, BusValue>) throws -> String {
        do {
          _ = try witness.account("nobody", parameters: parameters)
          return "accepted"
        } catch let refusal as RawBus.Refusal { return refusal.name }
      }
      let contacts = BusValue.strings(["romeo@localhost"])
      #expect(try refusal(["visibility": .string("hidden")]) == standard + "InvalidArgs")
      #expect(try refusal(["visibility": .string("visible"), "contacts": contacts]) == standard + "InvalidArgs")
      #expect(try refusal(["contacts": contacts]) == standard + "InvalidArgs")
      #expect(try refusal(["visibility": .string("only"), "contacts": .strings(["a@b/c"])]) == own + "InvalidJid")
      #expect(try refusal(["mechanism": .string("none")]) == standard + "InvalidArgs")
      #expect(try refusal(["trust-unannounced": .string("yes")]) == standard + "InvalidArgs")
      for property in ["Mode", "Contacts", "Pending"] {
        #expect {
          try account.set(.Visibility, property, .string("visible"))
        } throws: {
          ($0 as? RawBus.Refusal)?.name == standard + "PropertyReadOnly"
        }
      }
    }
  }

  @Test("On a server that has nothing for it: only some see us, what they see and why is told, and except is refused")
  func directed() async throws {
    try await Witness.run { witness in
      let (juliet, romeo, paris) = (try witness.user("juliet"), try witness.user("romeo"), try witness.user("paris"))
      for contact in [romeo, paris] { try witness.subscribe(contact, to: juliet, both: true) }
      let account = try witness.account("juliet", user: juliet, parameters: ["visibility": .string("invisible")])
      let lover = try witness.client("romeo", user: romeo)
      let count = try witness.client("paris", user: paris)
      let stranger = try witness.client("stranger")
      for client in [lover, count, stranger] { try client.send("<presence/>") }
      func canSee(_ who: String) throws -> String {
        let answer = try account.call(.Visibility, "CanSee", [.string(who)])
        return "\(answer[0].truth == true) \(answer[1].text)"
      }
      func audience() throws -> [String] {
        let entries = try account.call(.Visibility, "ListAudience", [.options()])[0].list
        for entry in entries { #expect((entry["Since"]?.number ?? 0) > 1_500_000_000_000_000, "\(entry)") }
        return entries.map { "\($0["Contact"]?.text ?? "") \($0["Why"]?.text ?? "")" }
      }
      let everything: [BusValue] = [.strings(["*"])]
      try witness.owner.call(
        DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
        everything)
      try witness.step("the account connects, invisible") { try account.connect() }
      #expect(try account.get(.Visibility, "Supported") == .strings(["directed"]))
      #expect(try account.get(.Visibility, "Mechanism") == .string("directed"))
      #expect(try account.get(.Visibility, "Degraded").list.contains(.string("bare-messages-stored")))
      // What changes by itself, changes now.
      try witness.owner.wait(for: "an answer to a probe") {
        (try? account.get(.Visibility, "Degraded").list.contains(.string("no-contact-presence"))) == false
      }
      #expect(try canSee(lover.bare) == "false hidden")
      #expect(try canSee(stranger.bare) == "false no-subscription")
      #expect(try canSee(account.jid) == "true ourselves")
      #expect(try audience().isEmpty)
      try witness.step("Romeo is shown") {
        witness.model.accounts[account.jid]?.sessions = [lover.bare]
        witness.model.accounts[account.jid]?.tellsStatus = true
        witness.owner.passAll()
        try account.call(.Visibility, "ShowTo", [.strings([lover.bare])])
        try lover.expect("her presence") { $0["from"]?.hasPrefix(account.jid + "/") == true && $0["type"] == nil }
      }
      // Once when it is wanted, once when it holds; and nothing that is as it was.
      let told = witness.owner.unexpected.filter { $0.member == "PropertiesChanged" }.map { signal in
        (signal.arguments.dropFirst().first?.keys.sorted() ?? [])
          + (signal.arguments.last?.list.map { "(\($0.text))" } ?? [])
      }
      #expect(told == [["Mode", "Pending", "(Contacts)"], ["Degraded", "Pending"]])
      #expect(try account.get(.Visibility, "Degraded").list.contains(.string("late-contacts-miss-us")))
      #expect(try state(account) == "only \(lover.bare)")
      #expect(try canSee(lover.bare) == "true shown")
      #expect(try canSee(lover.jid) == "true shown")
      #expect(try canSee(count.bare) == "false hidden")
      #expect(try audience() == ["\(lover.bare) shown"])
      let roster = try account.call(.Connection, "ListRoster", [.options()])[0].list
      #expect(
        roster.map { "\($0["Contact"]?.text ?? "") \($0["HiddenFrom"]?.truth == true)" }.sorted()
          == ["\(lover.bare) false", "\(count.bare) true"].sorted())
      try witness.step("it cannot hide from one alone here") {
        #expect {
          try set(account, "except", [count.bare])
        } throws: {
          ($0 as? RawBus.Refusal)?.name == Self.own + "NotSupportedByServer"
        }
      }
      #expect(try state(account) == "only \(lover.bare)")
      try witness.step("a stranger is shown, for a while and as no exception") {
        witness.model.accounts[account.jid]?.sessions.insert(stranger.bare)
        try account.call(.Visibility, "ShowTo", [.strings([stranger.bare])])
        try stranger.expect("her presence") { $0["from"]?.hasPrefix(account.jid + "/") == true && $0["type"] == nil }
      }
      #expect(try canSee(stranger.bare) == "true session")
      #expect(try state(account) == "only \(lover.bare)")
      #expect(try audience() == ["\(lover.bare) shown", "\(stranger.bare) session"].sorted())
      try witness.step("the account disconnects") {
        witness.model.accounts[account.jid]?.sessions = []
        try account.disconnect()
        for client in [lover, stranger] { try client.expect("unavailable") { $0["type"] == "unavailable" } }
      }
      #expect(try canSee(lover.bare) == "false not-connected")
    }
  }

  @Test("Whoever hid comes back hidden, however the program ended, and also after being taken away")
  func remembered() async throws {
    try await Witness.run(withDaemon: false) { witness in
      let state = try TemporaryDirectory()
      defer { withExtendedLifetime(state) {} }
      let (juliet, romeo) = (try witness.user("juliet"), try witness.user("romeo"))
      try witness.subscribe(romeo, to: juliet, both: true)
      let contact = try witness.client("romeo", user: romeo)
      try contact.send("<presence/>")
      func run(_ ending: Int32 = SIGKILL, _ body: () throws -> Void) throws {
        let daemon = try DaemonProcess(on: witness.bus, stateDirectory: state.file("state"))
        defer { _ = try? daemon.process.end(with: ending, within: .seconds(5)) }
        try body()
      }
      func add(_ parameters: KeyValuePairs<String, BusValue> = [:]) throws -> OurAccount {
        try witness.account("juliet", user: juliet, parameters: parameters)
      }
      func remove(_ account: OurAccount, _ options: KeyValuePairs<String, BusValue> = [:]) throws {
        try witness.owner.call(
          DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "RemoveConnection",
          [.path(account.path), .options(options)])
      }
      // The reply to SetInvisible is the last thing that the program does.
      try run { try add().call(.Visibility, "SetInvisible") }
      try run {
        let account = try add()
        #expect(try self.state(account) == "invisible")
        try account.call(.Connection, "Connect")
        #expect(try self.state(account) == "invisible")
        // From the bare JID it is the server's own word to whoever asks.
        try witness.forbid("anything of an account that hid", at: contact) {
          $0["from"]?.hasPrefix(account.jid + "/") == true
        }
        try account.call(.Connection, "Disconnect")
        try set(account, "except", ["tybalt@localhost", "group:Kin", "not:paris@localhost"])
      }
      try run {
        let account = try add()
        #expect(try self.state(account) == "except group:Kin not:paris@localhost tybalt@localhost")
        try account.call(.Visibility, "HideFrom", [.strings(["paris@localhost"])])
        try remove(account)
        #expect(try self.state(try add()) == "except group:Kin paris@localhost tybalt@localhost")
      }
      try run(SIGTERM) {
        // What is given goes before what is kept, and is kept in its place.
        let account = try add(["visibility": .string("only"), "contacts": .strings(["romeo@localhost"])])
        #expect(try self.state(account) == "only romeo@localhost")
      }
      try run {
        let account = try add()
        #expect(try self.state(account) == "only romeo@localhost")
        try remove(account, ["forget": .bool(true)])
        #expect(try self.state(try add()) == "visible")
      }
      try run { () throws in
        let account = try add()
        #expect(try self.state(account) == "visible")
      }
    }
  }
}
