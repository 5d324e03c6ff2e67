// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing
import XML

@Suite("Presence of the types visible and invisible (XEP-0018), on the wire")
struct InvisiblePresenceTests {
  private static func story(_ features: LoopbackFeatures = LoopbackFeatures()) throws -> Scene {
    var scene = try Scene(
      ["joe": ["stpeter", "pgmillard", "rynok"], "stpeter": ["joe"], "pgmillard": ["joe"], "rynok": ["joe"]],
      features: features)
    try scene.online("stpeter/s", "pgmillard/p", "rynok/r")
    try scene.bind("joe/desk")
    return scene
  }

  @Test("Joe's story of §4.1, as each of the three hears it")
  func story() throws {
    var scene = try Self.story()
    // Joe himself sees who is there.
    #expect(
      try scene.say("joe/desk", "<presence type='invisible'/>") == [
        "joe/desk": ["pgmillard/p", "rynok/r", "stpeter/s"]
      ])
    #expect(try scene.say("joe/desk", "<presence to='{rynok}' type='visible'/>") == ["rynok/r": ["joe/desk"]])
    #expect(
      try scene.say("joe/desk", "<presence><show>xa</show><status>Away (due to idle)</status></presence>")
        == ["rynok/r": ["joe/desk xa"]])
    #expect(
      try scene.say("joe/desk", "<presence type='visible'/>")
        == ["stpeter/s": ["joe/desk xa"], "pgmillard/p": ["joe/desk xa"], "joe/desk": ["joe/desk xa"]])
    #expect(
      try scene.say("joe/desk", "<presence to='{pgmillard}' type='invisible'/>")
        == ["pgmillard/p": ["joe/desk unavailable"]])
    #expect(
      try scene.say("joe/desk", "<presence><show>chat</show></presence>")
        == ["stpeter/s": ["joe/desk chat"], "rynok/r": ["joe/desk chat"], "joe/desk": ["joe/desk chat"]])
    #expect(scene.last.first { $0.name == "stpeter/s" }?.stanza.attribute("to") == "stpeter@foo.com")
    #expect(
      scene.end("joe/desk") == ["stpeter/s": ["joe/desk unavailable"], "rynok/r": ["joe/desk unavailable"]])
  }

  @Test("Whoever logs in later sees those that show themselves, and nothing of those that hide")
  func laterLogin() throws {
    var scene = try Self.story()
    try scene.say("joe/desk", "<presence type='invisible'/>")
    try scene.say("joe/desk", "<presence to='{rynok}' type='visible'/>")
    #expect(try scene.online("rynok/phone")["rynok/phone"] == ["rynok/phone", "rynok/r", "joe/desk"])
    #expect(try scene.online("stpeter/phone")["stpeter/phone"] == ["stpeter/phone", "stpeter/s"])
    #expect(try scene.say("stpeter/s", "<presence type='probe' to='{joe}'/>").isEmpty)
    #expect(try scene.say("stpeter/s", "<presence type='probe' to='{joe/desk}'/>").isEmpty)
  }

  @Test("Visible and invisible to somebody who is not on the roster are dropped, and reach no client")
  func strangers() throws {
    var scene = try Scene(["joe": [], "mallory": []])
    try scene.online("joe/desk", "mallory/m")
    for type in ["visible", "invisible"] {
      #expect(try scene.say("joe/desk", "<presence type='\(type)' to='{mallory}'/>").isEmpty)
      #expect(try scene.say("joe/desk", "<presence type='\(type)' to='{mallory/m}'/>").isEmpty)
    }
  }

  @Test("What was said of somebody who was not on the roster does not count once they are")
  func strangersLater() throws {
    var scene = try Scene(["joe": [], "rynok": []])
    try scene.online("rynok/r")
    try scene.online("joe/desk", presence: "<presence type='invisible'/>")
    try scene.say("joe/desk", "<presence type='visible' to='{rynok}'/>")
    try scene.say("rynok/r", "<presence type='subscribe' to='{joe}'/>")
    #expect(try scene.say("joe/desk", "<presence type='subscribed' to='{rynok}'/>")["rynok/r"] == ["joe subscribed"])
    #expect(try scene.say("joe/desk", "<presence/>").isEmpty)
  }

  @Test("Where it is switched off it is answered as by Prosody, and nobody hears of it")
  func switchedOff() throws {
    var scene = try Self.story(.none)
    for stanza in [
      "<presence type='invisible'/>", "<presence type='visible'/>", "<presence type='invisible' to='{rynok}'/>",
      "<presence type='visible' to='{rynok}'/>", "<presence type='foo'/>",
    ] {
      #expect(try scene.say("joe/desk", stanza) == ["joe/desk": ["presence error modify bad-request"]])
    }
    #expect(
      try scene.ask("joe/desk", to: "foo.com", "<query xmlns='http://jabber.org/protocol/disco#info'/>").contains(
        "invisible") == false)
  }

  @Test("Approving a subscription while hidden shows nothing")
  func approvingHidden() throws {
    var scene = try Scene(["joe": [], "rynok": []])
    try scene.online("rynok/r")
    try scene.online("joe/desk", presence: "<presence type='invisible'/>")
    try scene.say("rynok/r", "<presence type='subscribe' to='{joe}'/>")
    #expect(try scene.say("joe/desk", "<presence type='subscribed' to='{rynok}'/>")["rynok/r"] == ["joe subscribed"])
    #expect(try scene.say("joe/desk", "<presence type='visible' to='{rynok}'/>") == ["rynok/r": ["joe/desk"]])
  }

  @Test("A stranger gets the same answers from a hidden resource's account as from one where nobody is")
  func sameAnswers() throws {
    for payload in [
      "<query xmlns='jabber:iq:last'/>", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
      "<query xmlns='http://jabber.org/protocol/disco#items'/>", "<query xmlns='jabber:iq:version'/>",
    ] {
      var hidden = try Scene(["joe": ["rynok"], "rynok": ["joe"], "mallory": []])
      var absent = hidden
      try hidden.online("joe/desk", presence: "<presence type='invisible'/>")
      for name in ["rynok/r", "mallory/m"] {
        try hidden.online(name)
        try absent.online(name)
        #expect(try hidden.ask(name, to: "joe", payload) == absent.ask(name, to: "joe", payload))
      }
    }
  }

  @Test("How long somebody has been away is counted from when they hid")
  func lastActivity() throws {
    var scene = try Self.story()
    let question = "<query xmlns='jabber:iq:last'/>"
    try scene.say("joe/desk", "<presence/>")
    #expect(try scene.ask("rynok/r", to: "joe", question).contains("seconds='0'"))
    scene.domain.now += 100
    try scene.say("joe/desk", "<presence type='invisible'/>")
    scene.domain.now += 7
    #expect(try scene.ask("rynok/r", to: "joe", question).contains("seconds='7'"))
  }
}
