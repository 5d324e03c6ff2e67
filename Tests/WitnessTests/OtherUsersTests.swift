// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

/// What another user of the machine can find out over the bus: nothing.
@Suite("Other users of this computer", .serialized, .timeLimit(.minutes(15)))
struct OtherUsersTests {
  private let properties = "org.freedesktop.DBus.Properties"
  private let root = "/org/nightcloak/Presence1"

  /// Where the tests cannot be two users, the other one is nobody at all, who is let nowhere; also alike on every path.
  private var canBeTwo: Bool { getuid() == 0 }

  private func bytes(
    _ bus: RawBus, _ path: String, _ interface: String, _ member: String, _ arguments: [BusValue] = []
  ) throws -> (error: String, body: [UInt8]) {
    let call = try bus.begin(DaemonProcess.busName, path, interface, member, arguments)
    let reply = try bus.message(answering: call)
    return (reply.error, reply.body)
  }

  @Test("An object that is another's and one that does not exist give the same bytes")
  func noOracle() async throws {
    try await Witness.run { witness in
      let account = try witness.account("juliet")
      let stranger = try witness.bus.connectAsStranger()
      // As long as the true path, so that a text that names it has as many bytes.
      let absent = String(account.path.dropLast(3)) + "zzz"
      let refused = "org.freedesktop.DBus.Error." + (canBeTwo ? "UnknownObject" : "AccessDenied")
      let calls: [(String, String, [BusValue])] = [
        ("org.freedesktop.DBus.Introspectable", "Introspect", []),
        (properties, "GetAll", [.string("org.nightcloak.Presence1.Decloak")]),
        (properties, "Get", [.string("org.nightcloak.Presence1.Connection"), .string("Jid")]),
        (
          properties, "Set",
          [.string("org.nightcloak.Presence1.Decloak"), .string("Policy"), .variant(.string("allow"))]
        ),
        ("org.nightcloak.Presence1.Decloak", "ListRequests", []),
        ("org.nightcloak.Presence1.Connection", "Connect", []),
        ("org.nightcloak.Presence1.Connection", "NoSuchMethod", []),
        ("org.nightcloak.NoSuchInterface", "Connect", []),
        ("org.nightcloak.Presence1.Decloak", "Approve", [.string("wrong arguments")]),
      ]
      for (interface, member, arguments) in calls {
        let forbidden = try bytes(stranger, account.path, interface, member, arguments)
        let missing = try bytes(stranger, absent, interface, member, arguments)
        #expect(forbidden.error == refused, "\(interface).\(member)")
        #expect(forbidden.error == missing.error)
        let normal = String(decoding: forbidden.body, as: UTF8.self).replacing(account.path, with: absent)
        #expect(Array(normal.utf8) == missing.body, "\(interface).\(member): \(normal)")
      }
      let subtree = try bytes(
        stranger, "\(root)/u\(getuid())", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
      let nobody = try bytes(stranger, "\(root)/u1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
      #expect(subtree.error == refused)
      #expect(
        String(decoding: subtree.body, as: UTF8.self).replacing("/u\(getuid())", with: "/u1").utf8.elementsEqual(
          nobody.body))
      #expect(try account.get(.Decloak, "Policy") == .string("off"))
      guard canBeTwo else { return }
      let tree = try stranger.call(DaemonProcess.busName, root, "org.freedesktop.DBus.Introspectable", "Introspect")
      #expect(!tree[0].text.contains("u\(getuid())"), "\(tree[0].text)")
      let list = try stranger.call(DaemonProcess.busName, root, "org.nightcloak.Presence1.Manager", "ListConnections")
      #expect(list[0].list.isEmpty)
      let own = try stranger.call(
        DaemonProcess.busName, "\(root)/u65534", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
      #expect(own[0].list.isEmpty, "everybody has a subtree from the start")
    }
  }

  @Test("Interest in everything brings another user no signal of ours")
  func interestIsOwn() async throws {
    try await Witness.run { witness in
      let stranger = try witness.bus.connectAsStranger()
      let asked = try stranger.begin(
        DaemonProcess.busName, root, "org.nightcloak.Presence1.Manager", "AddClientInterest", [.strings(["*"])])
      #expect(try stranger.message(answering: asked).type == (canBeTwo ? 2 : 3))
      try stranger.callBus("AddMatch", [.string("type='signal'")])
      let account = try witness.account("juliet")
      witness.model.accounts[account.jid]?.isVisible = true
      try witness.step("the account connects") { try account.connect() }
      try witness.step("its policy changes") { try account.set(.Decloak, "Policy", .string("ask")) }
      try stranger.ping()
      let heard = stranger.received.filter { $0.type == 4 && $0.sender != "org.freedesktop.DBus" }
      #expect(heard.allSatisfy { $0.interface == "org.nightcloak.Tests" }, "leak: \(heard)")
    }
  }
}
