// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing

@Suite("The invisible command (XEP-0186)")
struct InvisibleCommandTests {
  private static func scene() throws -> Scene {
    var scene = try Scene(["joe": ["rynok"], "rynok": ["joe"], "mallory": []])
    try scene.online("rynok/r", "mallory/m")
    try scene.bind("joe/desk")
    return scene
  }

  @Test(
    "Before the first presence nobody sees anything; contacts are seen where that is asked for",
    arguments: [
      ("<invisible xmlns='urn:xmpp:invisible:1' probe='true'/>", true),
      ("<invisible xmlns='urn:xmpp:invisible:1' probe='1'/>", true),
      ("<invisible xmlns='urn:xmpp:invisible:1' probe='false'/>", false),
      ("<invisible xmlns='urn:xmpp:invisible:1'/>", false), ("<invisible xmlns='urn:xmpp:invisible:0'/>", true),
    ])
  func start(command: String, sees: Bool) throws {
    var scene = try Self.scene()
    let seen = try scene.say("joe/desk", "<iq type='set' id='1'>\(command)</iq>")
    #expect(seen == ["joe/desk": (sees ? ["rynok/r"] : []) + ["result"]])
    #expect(try scene.say("joe/desk", "<presence><show>dnd</show></presence>").isEmpty)
    #expect(try scene.say("rynok/r", "<presence><show>away</show></presence>")["joe/desk"] == ["rynok/r away"])
  }

  @Test("While visible: contacts see the end; directed presence goes out; the way back says nothing by itself")
  func roundTrip() throws {
    var scene = try Self.scene()
    try scene.say("joe/desk", "<presence/>")
    let hide = "<iq type='set' id='1'><invisible xmlns='urn:xmpp:invisible:1' probe='true'/></iq>"
    #expect(try scene.say("joe/desk", hide) == ["rynok/r": ["joe/desk unavailable"], "joe/desk": ["result"]])
    #expect(try scene.say("joe/desk", "<presence to='{mallory}'/>") == ["mallory/m": ["joe/desk"]])
    #expect(
      try scene.say("joe/desk", "<iq type='set' id='2'><visible xmlns='urn:xmpp:invisible:1'/></iq>")
        == ["joe/desk": ["result"]])
    #expect(try scene.online("rynok/phone")["rynok/phone"] == ["rynok/phone", "rynok/r"])
    #expect(try scene.say("joe/desk", "<presence/>")["rynok/r"] == ["joe/desk"])
    #expect(
      scene.end("joe/desk") == [
        "rynok/r": ["joe/desk unavailable"], "rynok/phone": ["joe/desk unavailable"],
        "mallory/m": ["joe/desk unavailable"],
      ])
  }

  @Test("Unavailable while invisible goes to those with directed presence alone")
  func unavailable() throws {
    var scene = try Self.scene()
    try scene.say("joe/desk", "<iq type='set' id='1'><invisible xmlns='urn:xmpp:invisible:1'/></iq>")
    try scene.say("joe/desk", "<presence to='{mallory/m}'/>")
    #expect(
      try scene.say("joe/desk", "<presence type='unavailable'/>") == ["mallory/m": ["joe/desk unavailable"]])
    #expect(scene.end("joe/desk").isEmpty)
  }

  @Test("A value that is no truth value is refused, and so is the command where it is switched off")
  func refused() throws {
    var scene = try Self.scene()
    let command = "<invisible xmlns='urn:xmpp:invisible:1' probe='maybe'/>"
    #expect(try scene.ask("joe/desk", command, type: "set") == "modify bad-request")
    var other = try Scene(["joe": []], features: .none)
    try other.online("joe/desk")
    for version in 0...1 {
      let command = "<invisible xmlns='urn:xmpp:invisible:\(version)'/>"
      #expect(try other.ask("joe/desk", command, type: "set") == "cancel service-unavailable")
    }
  }
}
