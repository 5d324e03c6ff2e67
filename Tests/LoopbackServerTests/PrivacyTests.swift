// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing
import XML

@Suite("Privacy lists (XEP-0016)")
struct PrivacyTests {
  private static func query(_ inside: String) -> String { "<query xmlns='jabber:iq:privacy'>\(inside)</query>" }

  private static func list(_ items: String, _ name: String = "hide") -> String {
    query("<list name='\(name)'>\(items)</list>")
  }

  private static func active(_ name: String?) -> String { query("<active\(name.map { " name='\($0)'" } ?? "")/>") }

  private static let noPresence = "<item action='deny' order='9'><presence-out/></item>"

  private static func scene() throws -> Scene {
    var scene = try Scene([
      "romeo": ["juliet:both:Capulets", "nurse"], "juliet": ["romeo"], "nurse": ["romeo"], "mallory": [],
    ])
    try scene.online("juliet/j", "nurse/n", "mallory/m", "romeo/r")
    return scene
  }

  /// Makes a list and makes it the active one.
  private static func hide(_ scene: inout Scene, _ items: String) throws {
    #expect(try scene.ask("romeo/r", list(items), type: "set") == "result")
    #expect(try scene.ask("romeo/r", active("hide"), type: "set") == "result")
  }

  @Test("Lists are kept, told and removed; each change is pushed to all sessions by name")
  func keeping() throws {
    var scene = try Self.scene()
    try scene.online("romeo/s")
    let change = "<iq type='set' id='1'>\(Self.list(Self.noPresence))</iq>"
    #expect(
      try scene.say("romeo/r", change) == ["romeo/r": ["set query", "result"], "romeo/s": ["set query"]])
    #expect(
      scene.last.first?.stanza.children.first?.serialized()
        == "<query xmlns='jabber:iq:privacy'><list name='hide'/></query>")
    #expect(try scene.ask("romeo/s", Self.list("")) == Self.list(Self.noPresence))
    #expect(try scene.ask("romeo/r", Self.query("<default name='hide'/>"), type: "set") == "result")
    #expect(try scene.ask("romeo/r", Self.active("hide"), type: "set") == "result")
    #expect(
      try scene.ask("romeo/r", Self.query(""))
        == Self.query("<active name='hide'/><default name='hide'/><list name='hide'/>"))
    #expect(try scene.ask("romeo/s", Self.query("")) == Self.query("<default name='hide'/><list name='hide'/>"))
  }

  @Test("What holds for another session can be neither removed nor replaced as the default (rule 11)")
  func conflicts() throws {
    var scene = try Self.scene()
    try scene.online("romeo/s")
    _ = try scene.ask("romeo/r", Self.list(Self.noPresence), type: "set")
    _ = try scene.ask("romeo/r", Self.list(Self.noPresence, "other"), type: "set")
    _ = try scene.ask("romeo/s", Self.active("hide"), type: "set")
    #expect(try scene.ask("romeo/r", Self.list(""), type: "set") == "cancel conflict")
    #expect(try scene.ask("romeo/s", Self.list(""), type: "set") == "result")
    #expect(try scene.ask("romeo/s", Self.query(""), type: "get") == Self.query("<list name='other'/>"))
    #expect(try scene.ask("romeo/r", Self.query("<default name='other'/>"), type: "set") == "result")
    #expect(try scene.ask("romeo/r", Self.query("<default/>"), type: "set") == "cancel conflict")
    #expect(try scene.ask("romeo/r", Self.list("", "other"), type: "set") == "cancel conflict")
    scene.end("romeo/s")
    #expect(try scene.ask("romeo/r", Self.list("", "other"), type: "set") == "result")
  }

  @Test(
    "What is no change is refused",
    arguments: [
      ("", "modify bad-request"), ("<active/><default/>", "modify bad-request"),
      ("<active name='none'/>", "cancel item-not-found"), ("<default name='none'/>", "cancel item-not-found"),
      ("<list name='none'/>", "cancel item-not-found"), ("<list/>", "modify bad-request"),
      ("<list name='123456789'><item action='deny' order='1'/></list>", "modify bad-request"),
      ("<list name='x'><item action='hide' order='1'/></list>", "modify bad-request"),
      ("<list name='x'><item action='deny'/></list>", "modify bad-request"),
      ("<list name='x'><item action='deny' order='-1'/></list>", "modify bad-request"),
      ("<list name='x'><item action='deny' order='1'/><item action='allow' order='1'/></list>", "modify bad-request"),
      ("<list name='x'><item type='jid' action='deny' order='1'/></list>", "modify bad-request"),
      ("<list name='x'><item type='jid' value='a@@b' action='deny' order='1'/></list>", "modify jid-malformed"),
      ("<list name='x'><item type='group' value='Foes' action='deny' order='1'/></list>", "cancel item-not-found"),
      ("<list name='x'><item type='subscription' value='x' action='deny' order='1'/></list>", "modify bad-request"),
      ("<list name='x'><item type='age' value='x' action='deny' order='1'/></list>", "modify bad-request"),
      ("<list name='x'><item action='deny' order='1'><other/></item></list>", "modify bad-request"),
      (
        "<list name='x'><item action='deny' order='1'/><item action='deny' order='2'/><item action='deny' order='3'/></list>",
        "wait resource-constraint"
      ),
    ])
  func refused(change: String, error: String) throws {
    var scene = try Scene(["romeo": []]) {
      $0.limits.nameBytes = 8
      $0.limits.privacyRules = 2
    }
    try scene.online("romeo/r")
    #expect(try scene.ask("romeo/r", Self.query(change), type: "set") == error)
  }

  @Test("An account does not keep any number of lists")
  func limit() throws {
    var scene = try Scene(["romeo": []]) { $0.limits.privacyLists = 1 }
    try scene.online("romeo/r")
    #expect(try scene.ask("romeo/r", Self.list(Self.noPresence, "a"), type: "set") == "result")
    #expect(try scene.ask("romeo/r", Self.list(Self.noPresence, "b"), type: "set") == "wait resource-constraint")
    #expect(try scene.ask("romeo/r", Self.list(Self.noPresence, "a"), type: "set") == "result")
  }

  @Test(
    "The first rule that matches decides, and nothing else",
    arguments: [
      ("<item type='jid' value='juliet@foo.com' action='deny' order='1'/>", ["nurse/n"]),
      ("<item type='jid' value='juliet@foo.com/j' action='deny' order='1'/>", ["juliet/j", "nurse/n"]),
      ("<item type='jid' value='foo.com' action='deny' order='1'/>", []),
      ("<item type='jid' value='other.com' action='deny' order='1'/>", ["juliet/j", "nurse/n"]),
      ("<item type='group' value='Capulets' action='deny' order='1'/>", ["nurse/n"]),
      ("<item type='subscription' value='both' action='deny' order='1'/>", []),
      ("<item type='subscription' value='none' action='deny' order='1'/>", ["juliet/j", "nurse/n"]),
      ("<item action='deny' order='1'><presence-in/><iq/><message/></item>", ["juliet/j", "nurse/n"]),
      ("<item action='deny' order='1'><presence-out/></item>", []),
      (
        "<item action='deny' order='4294967295'/><item type='jid' value='nurse@foo.com' action='allow' order='2'/>",
        ["nurse/n"]
      ),
      (
        "<item type='jid' value='nurse@foo.com' action='deny' order='3'/><item action='allow' order='2'/>",
        ["juliet/j", "nurse/n"]
      ),
    ])
  func matching(items: String, seenBy: [String]) throws {
    var scene = try Self.scene()
    try Self.hide(&scene, items)
    let seen = try scene.say("romeo/r", "<presence><show>away</show></presence>")
    #expect(Set(seen.keys).subtracting(["romeo/r"]) == Set(seenBy))
  }

  @Test(
    "A list that is taken up sends nothing by itself; whoever is denied gets nothing after it, not even the end of the session"
  )
  func denied() throws {
    var scene = try Self.scene()
    _ = try scene.ask("romeo/r", Self.list(Self.noPresence), type: "set")
    #expect(
      try scene.say("romeo/r", "<iq type='set' id='1'>\(Self.active("hide"))</iq>") == ["romeo/r": ["result"]])
    #expect(try scene.say("romeo/r", "<presence/>") == ["romeo/r": ["romeo/r"]])
    #expect(try scene.say("juliet/j", "<presence type='probe' to='{romeo}'/>").isEmpty)
    #expect(try scene.online("juliet/k")["juliet/k"] == ["juliet/k", "juliet/j"])
    let end = try scene.say("romeo/r", "<presence type='unavailable'/>")
    #expect(end == [:])
    #expect(scene.end("romeo/r").isEmpty)
  }

  @Test("Directed presence to whoever is denied is refused; contacts are seen all the same")
  func directed() throws {
    var scene = try Self.scene()
    try Self.hide(&scene, Self.noPresence)
    for target in ["juliet", "mallory/m"] {
      #expect(
        try scene.say("romeo/r", "<presence to='{\(target)}'/>")
          == ["romeo/r": ["presence error cancel not-acceptable"]])
    }
    #expect(try scene.say("juliet/j", "<presence><show>dnd</show></presence>")["romeo/r"] == ["juliet/j dnd"])
  }

  @Test("Who is allowed again sees nothing by that alone, and then the next presence; edits work on the live list")
  func edits() throws {
    var scene = try Self.scene()
    try Self.hide(&scene, Self.noPresence)
    let open = "<item type='jid' value='juliet@foo.com' action='allow' order='1'/>" + Self.noPresence
    #expect(
      try scene.say("romeo/r", "<iq type='set' id='1'>\(Self.list(open))</iq>") == ["romeo/r": ["set query", "result"]])
    #expect(
      try scene.say("romeo/r", "<presence/>") == ["romeo/r": ["romeo/r"], "juliet/j": ["romeo/r"]])
    #expect(
      try scene.say("romeo/r", "<iq type='set' id='1'>\(Self.list(Self.noPresence))</iq>")
        == ["romeo/r": ["set query", "result"]])
    #expect(try scene.say("romeo/r", "<presence/>") == ["romeo/r": ["romeo/r"]])
  }

  @Test("Presence-out rules do not stop subscriptions, rules about everything do")
  func subscriptions() throws {
    var scene = try Self.scene()
    try Self.hide(&scene, Self.noPresence)
    #expect(try scene.say("romeo/r", "<presence type='subscribe' to='{mallory}'/>")["mallory/m"] == ["romeo subscribe"])
    #expect(
      try scene.say("mallory/m", "<presence type='subscribe' to='{romeo}'/>")["romeo/r"] == ["mallory subscribe"])
    #expect(
      try scene.say("romeo/r", "<presence type='subscribed' to='{mallory}'/>")["mallory/m"] == ["romeo subscribed"])
    try Self.hide(&scene, "<item action='deny' order='1'/>")
    #expect(
      try scene.say("romeo/r", "<presence type='unsubscribed' to='{mallory}'/>")
        == ["romeo/r": ["presence error cancel not-acceptable"]])
  }

  @Test("Incoming stanzas of each kind are stopped, and their senders hear what they hear of who is not there")
  func incoming() throws {
    for kind in ["message", "iq", "presence-in", ""] {
      var scene = try Self.scene()
      try Self.hide(&scene, "<item action='deny' order='1'>\(kind.isEmpty ? "" : "<\(kind)/>")</item>")
      let all = kind.isEmpty
      let message = try scene.say("mallory/m", "<message to='{romeo}'><body>hi</body></message>")
      let refusal = ["mallory/m": ["message error cancel service-unavailable"]]
      #expect(message == (all || kind == "message" ? refusal : ["romeo/r": ["mallory/m: hi"]]))
      let direct = try scene.say("mallory/m", "<message to='{romeo/r}'><body>hi</body></message>")
      #expect(direct == message)
      let question = try scene.say("mallory/m", "<iq type='get' id='1' to='{romeo/r}'><x xmlns='y'/></iq>")
      let absent = ["mallory/m": ["iq error cancel service-unavailable"]]
      #expect(question == (all || kind == "iq" ? absent : ["romeo/r": ["get x"]]))
      let presence = try scene.say("mallory/m", "<presence to='{romeo}'/>")
      #expect(presence == (all || kind == "presence-in" ? [:] : ["romeo/r": ["mallory/m"]]))
    }
  }

  @Test("The default list holds where no session has its own, also while nobody is there; one's own sessions never")
  func defaults() throws {
    var scene = try Self.scene()
    _ = try scene.ask("romeo/r", Self.list("<item action='deny' order='1'/>"), type: "set")
    _ = try scene.ask("romeo/r", Self.query("<default name='hide'/>"), type: "set")
    _ = try scene.online("romeo/s")
    #expect(
      try scene.say("romeo/s", "<message to='{romeo/r}'><body>me</body></message>") == ["romeo/r": ["romeo/s: me"]])
    _ = try scene.ask("romeo/s", Self.list("<item action='allow' order='1'/>", "open"), type: "set")
    _ = try scene.ask("romeo/s", Self.active("open"), type: "set")
    let message = "<message to='{romeo}'><body>hi</body></message>"
    #expect(try scene.say("mallory/m", message) == ["romeo/s": ["mallory/m: hi"]])
    scene.end("romeo/s")
    scene.end("romeo/r")
    #expect(try scene.say("mallory/m", message) == ["mallory/m": ["message error cancel service-unavailable"]])
  }

  @Test("Who is put into a group that is denied gets no presence from then on")
  func groupChange() throws {
    var scene = try Self.scene()
    try Self.hide(&scene, "<item type='group' value='Capulets' action='deny' order='1'><presence-out/></item>")
    let change = "<query xmlns='jabber:iq:roster'><item jid='{nurse}'><group>Capulets</group></item></query>"
    #expect(try scene.say("romeo/r", "<presence/>")["nurse/n"] == ["romeo/r"])
    #expect(try scene.say("romeo/r", "<iq type='set' id='1'>\(change)</iq>")["nurse/n"] == nil)
    #expect(try scene.say("romeo/r", "<presence/>")["nurse/n"] == nil)
  }
}

@Suite("Blocking (XEP-0191)")
struct BlockingTests {
  private static func command(_ name: String, _ addresses: String...) -> String {
    "<\(name) xmlns='urn:xmpp:blocking'>" + addresses.map { "<item jid='\($0)'/>" }.joined() + "</\(name)>"
  }

  @Test("A blocked contact sees the end, and the present again when the block is lifted; the list is told and pushed")
  func contact() throws {
    var scene = try Scene(["romeo": ["juliet"], "juliet": ["romeo"]])
    try scene.online("juliet/j", "romeo/r", "romeo/s")
    #expect(
      try scene.ask("romeo/s", "<blocklist xmlns='urn:xmpp:blocking'/>") == "<blocklist xmlns='urn:xmpp:blocking'/>")
    #expect(
      try scene.say("romeo/r", "<iq type='set' id='1'>\(Self.command("block", "juliet@foo.com"))</iq>") == [
        "juliet/j": ["romeo/r unavailable", "romeo/s unavailable"], "romeo/s": ["set block"], "romeo/r": ["result"],
      ])
    #expect(
      try scene.ask("romeo/r", "<blocklist xmlns='urn:xmpp:blocking'/>") == Self.command("blocklist", "juliet@foo.com"))
    #expect(try scene.say("romeo/r", "<presence/>") == ["romeo/r": ["romeo/r"], "romeo/s": ["romeo/r"]])
    #expect(
      try scene.say("juliet/j", "<message to='{romeo}'><body>hi</body></message>")
        == ["juliet/j": ["message error cancel service-unavailable"]])
    #expect(try scene.say("juliet/j", "<presence><show>away</show></presence>") == ["juliet/j": ["juliet/j away"]])
    try scene.say("romeo/r", "<message to='{juliet}'/>")
    let error = scene.last.first?.stanza.child("error", "jabber:client")
    #expect(error?.child("blocked", "urn:xmpp:blocking:errors") != nil)
    #expect(
      try scene.say("romeo/r", "<iq type='set' id='1'>\(Self.command("unblock"))</iq>")["juliet/j"]
        == ["romeo/r", "romeo/s"])
  }

  @Test("A block holds whichever privacy list is active")
  func besidePrivacyLists() throws {
    var scene = try Scene(["romeo": ["juliet"], "juliet": ["romeo"]])
    try scene.online("juliet/j", "romeo/r")
    let list = "<list name='open'><item action='allow' order='1'/></list>"
    _ = try scene.ask("romeo/r", Self.command("block", "foo.com"), type: "set")
    _ = try scene.ask("romeo/r", "<query xmlns='jabber:iq:privacy'>\(list)</query>", type: "set")
    _ = try scene.ask("romeo/r", "<query xmlns='jabber:iq:privacy'><active name='open'/></query>", type: "set")
    #expect(try scene.say("romeo/r", "<presence/>") == ["romeo/r": ["romeo/r"]])
  }

  @Test("Commands that name nobody, or nobody that can be, or too many, are refused; and all where it is switched off")
  func refused() throws {
    var scene = try Scene(["romeo": []]) { $0.limits.blockedAddresses = 1 }
    try scene.online("romeo/r")
    #expect(try scene.ask("romeo/r", Self.command("block"), type: "set") == "modify bad-request")
    #expect(try scene.ask("romeo/r", Self.command("block", "a@@b"), type: "set") == "modify jid-malformed")
    #expect(try scene.ask("romeo/r", Self.command("block", "a@b", "c@d"), type: "set") == "wait resource-constraint")
    var other = try Scene(["romeo": []], features: .none)
    try other.online("romeo/r")
    #expect(try other.ask("romeo/r", Self.command("block", "a@b"), type: "set") == "cancel service-unavailable")
    #expect(try other.ask("romeo/r", "<query xmlns='jabber:iq:privacy'/>") == "cancel service-unavailable")
  }
}
