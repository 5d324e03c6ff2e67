// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing
import XML
import XMPP

@Suite("Presence (RFC 6121 §4)")
struct PresenceTests {
  @Test("Presence goes to subscribers and to the account's own sessions, and the first one shows who is there")
  func broadcast() throws {
    var scene = try Scene(
      [
        "joe": ["both", "from:from", "to:to", "none:none"], "both": ["joe"], "from": ["joe:to"], "to": ["joe:from"],
        "none": ["joe:none"],
      ])
    try scene.online("both/b", "from/f", "to/t", "none/n", "joe/phone")
    #expect(
      try scene.online("joe/desk") == [
        "both/b": ["joe/desk"], "from/f": ["joe/desk"], "joe/phone": ["joe/desk"],
        "joe/desk": ["joe/desk", "joe/phone", "both/b", "to/t"],
      ])
    #expect(
      try scene.say("joe/desk", "<presence type='unavailable'><status>bye</status></presence>") == [
        "both/b": ["joe/desk unavailable"], "from/f": ["joe/desk unavailable"], "joe/phone": ["joe/desk unavailable"],
      ])
    #expect(scene.end("joe/desk").isEmpty)
  }

  @Test("Unavailable with nothing shown before tells nobody, as does the end of a session that only listened")
  func nothingShown() throws {
    var scene = try Scene(["joe": ["rynok"], "rynok": ["joe"]])
    try scene.online("rynok/r")
    try scene.bind("joe/desk")
    #expect(try scene.say("joe/desk", "<presence type='unavailable'/>").isEmpty)
    #expect(scene.end("joe/desk").isEmpty)
  }

  @Test("Directed presence reaches bare and full addresses, and its receivers are told of the end once (§4.6)")
  func directed() throws {
    var scene = try Scene(["joe": [], "mallory": [], "trent": []])
    try scene.online("mallory/a", "trent/t")
    try scene.bind("mallory/b")
    try scene.bind("joe/desk")
    #expect(try scene.say("joe/desk", "<presence to='{mallory}'/>") == ["mallory/a": ["joe/desk"]])
    #expect(try scene.say("joe/desk", "<presence to='{mallory/b}'/>") == ["mallory/b": ["joe/desk"]])
    #expect(try scene.say("joe/desk", "<presence to='{trent}'/>") == ["trent/t": ["joe/desk"]])
    #expect(try scene.say("joe/desk", "<presence to='{nobody}'/>").isEmpty)
    #expect(
      try scene.say("joe/desk", "<presence to='{trent}' type='unavailable'/>") == ["trent/t": ["joe/desk unavailable"]])
    #expect(
      scene.end("joe/desk") == ["mallory/a": ["joe/desk unavailable"], "mallory/b": ["joe/desk unavailable"]])
  }

  @Test("One session cannot make the server remember any number of those whom it has sent presence")
  func directedLimit() throws {
    var scene = try Scene(["joe": []]) { $0.limits.directedPresences = 3 }
    try scene.online("joe/desk")
    for number in 0..<3 { #expect(try scene.say("joe/desk", "<presence to='{nobody\(number)}'/>").isEmpty) }
    #expect(
      try scene.say("joe/desk", "<presence to='{another}'/>")
        == ["joe/desk": ["presence error wait resource-constraint"]])
  }

  @Test("A client's own probe is answered to those who may see the account, and to nobody else")
  func probes() throws {
    var scene = try Scene(["joe": ["rynok"], "rynok": ["joe"], "mallory": []])
    try scene.online("joe/desk", presence: "<presence><show>away</show></presence>")
    try scene.bind("rynok/r")
    try scene.bind("mallory/m")
    #expect(try scene.say("rynok/r", "<presence type='probe' to='{joe}'/>") == ["rynok/r": ["joe/desk away"]])
    #expect(try scene.say("rynok/r", "<presence type='probe' to='{joe/desk}'/>") == ["rynok/r": ["joe/desk away"]])
    #expect(try scene.say("rynok/r", "<presence type='probe' to='{joe/other}'/>").isEmpty)
    #expect(try scene.say("mallory/m", "<presence type='probe' to='{joe}'/>").isEmpty)
  }

  @Test("Addresses that are none, and domains that nobody serves, are told of")
  func addresses() throws {
    var scene = try Scene(["joe": []])
    try scene.online("joe/desk")
    #expect(try scene.say("joe/desk", "<presence to='a@@b'/>") == ["joe/desk": ["presence error modify jid-malformed"]])
    #expect(
      try scene.say("joe/desk", "<presence to='a@elsewhere.example'/>")
        == ["joe/desk": ["presence error cancel remote-server-not-found"]])
    #expect(try scene.say("joe/desk", "<presence to='a@@b' type='error'/>").isEmpty)
  }

  @Test("What a stanza says of its sender is replaced, and the rest stays as it was")
  func stamping() throws {
    var scene = try Scene(["joe": ["rynok"], "rynok": ["joe"]])
    try scene.online("rynok/r", "joe/desk")
    try scene.say(
      "joe/desk",
      "<message from='{rynok/r}' to='{rynok}' id='1' xml:lang='it'>\n<body>ciao</body><x xmlns='y' a='&lt;'/></message>"
    )
    #expect(
      scene.last.first?.stanza.serialized(within: "jabber:client")
        == "<message from='joe@foo.com/desk' to='rynok@foo.com' id='1' xml:lang='it'>\n<body>ciao</body><x xmlns='y' a='&lt;'/></message>"
    )
  }

  @Test("A thousand sessions that all see each other: what one says costs a thousand deliveries and no more")
  func thousand() throws {
    var scene = try Scene(["joe": []]) { configuration in
      let names = (0..<1000).map { "user\($0)@foo.com" }
      configuration.users = names.enumerated().compactMap { index, name in
        guard let jid = try? BareJID(name) else { return nil }
        // Each sees its neighbours, and all see the first.
        let contacts = index == 0 ? names[1...] : names[0..<1]
        return LoopbackUser(jid, password: "x", roster: contacts.compactMap { try? LoopbackContact(BareJID($0)) })
      }
    }
    for number in 1..<1000 { try scene.online("user\(number)/r") }
    #expect(try scene.online("user0/r").values.joined().count == 999 + 1 + 999)
    #expect(try scene.say("user5/r", "<presence><show>away</show></presence>").values.joined().count == 2)
  }
}
