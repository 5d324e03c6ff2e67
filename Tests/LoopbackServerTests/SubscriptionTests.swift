// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing
import XML

@Suite("Subscriptions (RFC 6121 §3)")
struct SubscriptionTests {
  private static func push(_ scene: Scene, _ name: String) -> [String] {
    scene.last.filter { $0.name == name && $0.stanza.name == "iq" }.compactMap { delivery in
      guard let item = delivery.stanza.children.first?.children.first else { return nil }
      return [
        item.attribute("subscription"), item.attribute("ask"), item.attribute("approved").map { _ in "approved" },
      ]
      .compactMap { $0 }.joined(separator: " ")
    }
  }

  private static func scene(_ first: [String] = [], _ second: [String] = []) throws -> Scene {
    var scene = try Scene(["romeo": first, "juliet": second])
    try scene.online("romeo/r", "juliet/j")
    for name in ["romeo/r", "juliet/j"] { _ = try scene.ask(name, "<query xmlns='jabber:iq:roster'/>") }
    return scene
  }

  @Test("A subscription is asked for, given, taken back and given up; both rosters say so each time")
  func cycle() throws {
    var scene = try Self.scene()
    #expect(
      try scene.say("romeo/r", "<presence type='subscribe' to='{juliet/j}'/>")
        == ["romeo/r": ["set query"], "juliet/j": ["romeo subscribe"]])
    #expect(Self.push(scene, "romeo/r") == ["none subscribe"])
    #expect(
      try scene.say("juliet/j", "<presence type='subscribed' to='{romeo}'/>")
        == ["juliet/j": ["set query"], "romeo/r": ["set query", "juliet subscribed", "juliet/j"]])
    #expect(Self.push(scene, "juliet/j") == ["from"])
    #expect(Self.push(scene, "romeo/r") == ["to"])
    #expect(
      try scene.say("juliet/j", "<presence type='unsubscribed' to='{romeo}'/>")
        == ["juliet/j": ["set query"], "romeo/r": ["set query", "juliet unsubscribed", "juliet/j unavailable"]])
    #expect(Self.push(scene, "juliet/j") == ["none"])
    #expect(Self.push(scene, "romeo/r") == ["none"])
  }

  @Test("A subscriber that gives up sees the end, too")
  func unsubscribe() throws {
    var scene = try Self.scene(["juliet"], ["romeo"])
    #expect(
      try scene.say("romeo/r", "<presence type='unsubscribe' to='{juliet}'/>")
        == ["romeo/r": ["set query", "juliet/j unavailable"], "juliet/j": ["set query", "romeo unsubscribe"]])
    #expect(try scene.say("juliet/j", "<presence><show>away</show></presence>") == ["juliet/j": ["juliet/j away"]])
  }

  @Test("Leave that is given before anybody asks lets them in as soon as they do, and they hear nothing before")
  func preapproval() throws {
    var scene = try Self.scene()
    #expect(try scene.say("juliet/j", "<presence type='subscribed' to='{romeo}'/>") == ["juliet/j": ["set query"]])
    #expect(Self.push(scene, "juliet/j") == ["none approved"])
    #expect(
      try scene.say("romeo/r", "<presence type='subscribe' to='{juliet}'/>")
        == ["juliet/j": ["set query"], "romeo/r": ["set query", "set query", "juliet subscribed", "juliet/j"]])
    #expect(Self.push(scene, "juliet/j") == ["from"])
  }

  @Test("A request waits until somebody is there, and is told of again until it is answered")
  func waiting() throws {
    var scene = try Scene(["romeo": [], "juliet": []])
    try scene.online("romeo/r")
    try scene.say("romeo/r", "<presence type='subscribe' to='{juliet}'><status>hello</status></presence>")
    #expect(try scene.online("juliet/j")["juliet/j"] == ["juliet/j", "romeo subscribe"])
    #expect(try scene.online("juliet/k")["juliet/k"] == ["juliet/k", "juliet/j", "romeo subscribe"])
    try scene.say("juliet/j", "<presence type='unsubscribed' to='{romeo}'/>")
    #expect(try scene.online("juliet/l")["juliet/l"] == ["juliet/l", "juliet/j", "juliet/k"])
  }

  @Test("Requests do not pile up without end, and a large one is kept without what makes it large")
  func limits() throws {
    var scene = try Scene(["a": [], "b": [], "c": [], "juliet": []]) {
      $0.limits.subscriptionRequests = 2
      $0.limits.nameBytes = 100
    }
    try scene.online("a/x", "b/x", "c/x")
    let long = String(repeating: "long ", count: 1000)
    for name in ["a/x", "b/x", "c/x"] {
      try scene.say(name, "<presence type='subscribe' to='{juliet}'><status>\(long)</status></presence>")
    }
    #expect(try scene.online("juliet/j")["juliet/j"] == ["juliet/j", "a subscribe", "b subscribe"])
    #expect(scene.last.allSatisfy { $0.stanza.children.isEmpty })
  }

  @Test("Answers that nobody has asked for change nothing and are not delivered")
  func unasked() throws {
    var scene = try Self.scene()
    #expect(try scene.say("romeo/r", "<presence type='unsubscribed' to='{juliet}'/>").isEmpty)
    #expect(try scene.say("romeo/r", "<presence type='unsubscribe' to='{juliet}'/>").isEmpty)
    #expect(
      try scene.say("romeo/r", "<presence type='subscribe' to='{romeo}'/>")
        == ["romeo/r": ["presence error cancel not-allowed"]])
  }

  @Test("Whoever is taken off the roster loses what there was between the two")
  func removal() throws {
    var scene = try Self.scene(["juliet"], ["romeo"])
    let remove = "<query xmlns='jabber:iq:roster'><item jid='juliet@foo.com' subscription='remove'/></query>"
    #expect(
      try scene.say("romeo/r", "<iq type='set' id='1'>\(remove)</iq>") == [
        "romeo/r": ["set query", "juliet/j unavailable", "result"],
        "juliet/j": [
          "romeo/r unavailable", "set query", "romeo unsubscribe", "set query", "romeo unsubscribed",
        ],
      ])
    #expect(Self.push(scene, "juliet/j") == ["to", "none"])
    #expect(try scene.ask("romeo/r", remove, type: "set") == "cancel item-not-found")
  }
}
