// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing
import XML

@Suite("The roster (RFC 6121 §2)")
struct RosterTests {
  @Test("It is told whole, or not at all to a client that has it; changes are pushed to those who asked for it")
  func versions() throws {
    var scene = try Scene(["romeo": ["juliet", "tybalt:none:Foes"]])
    try scene.online("romeo/a", "romeo/b")
    let answer = try scene.ask("romeo/a", "<query xmlns='jabber:iq:roster' ver=''/>")
    #expect(
      answer == """
        <query xmlns='jabber:iq:roster' ver='run-2'><item jid='juliet@foo.com' subscription='both'/>\
        <item jid='tybalt@foo.com' subscription='none'><group>Foes</group></item></query>
        """)
    #expect(try scene.ask("romeo/a", "<query xmlns='jabber:iq:roster' ver='run-2'/>") == "result")
    let change = "<query xmlns='jabber:iq:roster'><item jid='{Nurse}' name='Nurse'><group>Kin</group></item></query>"
    #expect(
      try scene.say("romeo/b", "<iq type='set' id='1'>\(change)</iq>") == [
        "romeo/a": ["set query"], "romeo/b": ["result"],
      ])
    #expect(
      scene.last.first?.stanza.serialized(within: "jabber:client") == """
        <iq to='romeo@foo.com/a' id='push-1' type='set'><query xmlns='jabber:iq:roster' ver='run-3'>\
        <item jid='nurse@foo.com' name='Nurse' subscription='none'><group>Kin</group></item></query></iq>
        """)
  }

  @Test(
    "What is no change of a roster is refused",
    arguments: [
      ("", "modify bad-request"), ("<item/>", "modify jid-malformed"), ("<item jid='a@@b'/>", "modify jid-malformed"),
      ("<item jid='a@b/c'/>", "modify jid-malformed"), ("<item jid='romeo@foo.com'/>", "cancel not-allowed"),
      ("<item jid='a@b'/><item jid='c@d'/>", "modify bad-request"),
      ("<item jid='a@b'><group/></item>", "modify not-acceptable"),
      ("<item jid='a@b'><group>x</group><group>x</group></item>", "modify bad-request"),
      ("<item jid='a@b' name='123456789'/>", "modify not-acceptable"),
      ("<item jid='a@b'><group>1</group><group>2</group><group>3</group></item>", "modify not-acceptable"),
      ("<item jid='a@b' subscription='remove'/>", "cancel item-not-found"),
    ])
  func refused(items: String, error: String) throws {
    var scene = try Scene(["romeo": []]) {
      $0.limits.nameBytes = 8
      $0.limits.groupsPerContact = 2
    }
    try scene.online("romeo/a")
    #expect(try scene.ask("romeo/a", "<query xmlns='jabber:iq:roster'>\(items)</query>", type: "set") == error)
  }

  @Test("A roster does not grow without end, neither by changes nor by subscriptions")
  func limit() throws {
    var scene = try Scene(["romeo": ["juliet"]]) { $0.limits.contacts = 1 }
    try scene.online("romeo/a")
    let change = "<query xmlns='jabber:iq:roster'><item jid='a@foo.com'/></query>"
    #expect(try scene.ask("romeo/a", change, type: "set") == "wait resource-constraint")
    for type in ["subscribe", "subscribed"] {
      #expect(
        try scene.say("romeo/a", "<presence type='\(type)' to='{a}'/>")
          == ["romeo/a": ["presence error wait resource-constraint"]])
    }
  }

  @Test("Nobody reads or changes the roster of another")
  func others() throws {
    var scene = try Scene(["romeo": ["juliet"], "juliet": ["romeo"]])
    try scene.online("romeo/a")
    for type in ["get", "set"] {
      let query = "<query xmlns='jabber:iq:roster'><item jid='a@b'/></query>"
      #expect(try scene.ask("romeo/a", to: "juliet", query, type: type) == "cancel service-unavailable")
    }
  }
}
