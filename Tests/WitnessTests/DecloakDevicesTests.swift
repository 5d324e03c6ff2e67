// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// Several devices of one person, on either side.
@Suite("Decloaking with several devices", .serialized, .timeLimit(.minutes(15)))
struct DecloakDevicesTests {
  @Test(
    "A yes is for those of the asker's devices that asked and have not left, and for no other",
    arguments: XMPPServer.Family.allCases)
  func askers(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let tybalt = try witness.decloaking("tybalt")
      let full = try tybalt.fullJID()
      let user = try witness.user("juliet")
      let devices = try ["balcony", "orchard", "cell"].map { try witness.client($0, user: user, resource: $0) }
      for device in devices {
        try device.send("<presence/>")
        try device.ping()
      }
      let (balcony, orchard, cell) = (devices[0], devices[1], devices[2])
      try witness.step("one of them asks, and is answered alone") {
        try balcony.askToDecloak(full)
        try witness.fence()
        witness.show(tybalt, to: [balcony.jid])
        try tybalt.approveOnly()
        try balcony.expectShown(full)
      }
      #expect(orchard.presences(of: tybalt.jid).isEmpty)
      try witness.step("another asks, and one more, who leaves again") {
        try orchard.askToDecloak(full)
        // A server may look at its connections in any order.
        try orchard.ping()
        try cell.askToDecloak(full, StrangerQuestion.dialects[2])
        try witness.fence()
        let requests = try tybalt.requests()
        #expect(requests.first?["Count"]?.number == 2)
        #expect(requests.first?["Requesters"]?.list.map(\.text) == [orchard.jid, cell.jid])
        try cell.send("<presence to='\(full)' type='unavailable'/>")
      }
      try witness.step("the yes is for who is left") {
        witness.show(tybalt, to: [balcony.jid, orchard.jid])
        try tybalt.approveOnly()
        try orchard.expectShown(full)
      }
      #expect(cell.presences(of: tybalt.jid).isEmpty)
      #expect(balcony.presences(of: tybalt.jid) == [""])
      try witness.step("one of them leaves, the other sees him still") {
        try balcony.send("<presence to='\(full)' type='unavailable'/>")
        try witness.fence()
        witness.show(tybalt, to: [orchard.jid])
        #expect(try tybalt.sessions("they-see-me") == [orchard.jid])
      }
      let marks = devices.map(\.received.count)
      try witness.step("he ends it") {
        witness.show(tybalt, to: [])
        #expect(try tybalt.call(.Decloak, "Revoke", [.string(orchard.bare)]) == [.uint32(2)])
        try orchard.expectGone(full)
      }
      for (device, mark) in zip(devices, marks) {
        let told = device === orchard ? ["unavailable"] : []
        #expect(device.presences(of: tybalt.jid, since: mark) == told, "\(device.name)")
      }
    }
  }

  @Test(
    "Of our two devices the hidden one stays hidden while the visible one answers, until it says yes itself",
    arguments: XMPPServer.Family.allCases)
  func ours(family: XMPPServer.Family) async throws {
    try await Witness.run(on: family) { witness in
      let other = try OtherHouse()
      let visible = try witness.decloaking("tybalt", policy: "allow")
      // A yes by policy is none while invisible.
      let hidden = try other.connect(
        visible, resource: "cellar", policy: "allow", visibility: "invisible", on: witness.server)
      let juliet = try witness.client("juliet", resource: "balcony")
      try juliet.send("<presence/>")
      let known = try visible.fullJID()
      func heard() -> [RawClient.Received] {
        juliet.received.filter {
          bareJID($0.node["from"] ?? "") == visible.jid && $0.node["from"] != known && $0.node["type"] != "error"
        }
      }
      try witness.step("Juliet asks the account") {
        witness.show(visible, to: [juliet.jid])
        try juliet.askToDecloak(visible.jid)
        try juliet.expectShown(visible.fullJID())
        try hidden.fence(through: juliet)
      }
      #expect(heard().isEmpty)
      try witness.step("the visible one sets a status, ends it, and answers again") {
        try visible.call(.Connection, "SetPresence", [.string("away"), .string("gone"), .options()])
        try visible.call(.Decloak, "Revoke", [.string("")])
        try juliet.expectGone(visible.fullJID())
        try juliet.askToDecloak(visible.jid)
        try juliet.expectShown(visible.fullJID())
        try hidden.fence(through: juliet)
      }
      #expect(heard().isEmpty)
      // Where only directed presence hides, what is for the account does not reach it; and jabberd2 passes on what is for
      // the device where the account has another one.
      try juliet.askToDecloak(hidden.full)
      try hidden.fence(through: juliet)
      #expect(heard().isEmpty)
      let requests = try hidden.call("Decloak", "ListRequests")[0].list
      #expect(requests.map { $0["Contact"]?.text } == [juliet.bare])
      try witness.step("the hidden one says yes") {
        let id = requests.first?["Id"]?.text ?? ""
        try hidden.call("Decloak", "Approve", [.string(id), .string("once"), .options()])
        #expect(try juliet.expectShown(hidden.full).isMinimalPresence)
      }
      try witness.step("and ends it: the visible one is seen still") {
        try hidden.call("Decloak", "Revoke", [.string("")])
        try juliet.expectGone(hidden.full)
        try hidden.fence(through: juliet)
      }
      // What was asked for her features goes by itself: where a list is in the way presence may come behind it.
      let presences = heard().map(\.node).filter { $0.name == "presence" }
      #expect(presences.map { $0["type"] ?? "" } == ["", "unavailable"])
      #expect(try visible.sessions("they-see-me") == [juliet.jid])
      try other.end()
    }
  }
}
