// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing
import XML

@Suite("Messages (RFC 6121 §8.5)")
struct MessageTests {
  @Test(
    "To an account: those who want it most get it, news go to all, and nobody to whom it is not sent",
    arguments: [
      ("chat", ["high", "higher"]), ("normal", ["high", "higher"]), ("headline", ["high", "higher", "low"]),
      ("groupchat", []), ("error", []),
    ])
  func bare(type: String, receivers: [String]) throws {
    var scene = try Scene(["romeo": [], "juliet": []])
    try scene.online("romeo/high", "romeo/higher", presence: "<presence><priority>5</priority></presence>")
    try scene.online("romeo/low")
    try scene.online("romeo/never", presence: "<presence><priority>-1</priority></presence>")
    try scene.bind("romeo/silent")
    try scene.online("juliet/j")
    let seen = try scene.say("juliet/j", "<message type='\(type)' to='{romeo}'><body>hi</body></message>")
    var expected = Dictionary(uniqueKeysWithValues: receivers.map { ("romeo/\($0)", ["juliet/j: hi"]) })
    if type == "groupchat" { expected["juliet/j"] = ["message error cancel service-unavailable"] }
    #expect(seen == expected)
  }

  @Test("To a session: it gets all, also one that has said nothing; one that is not there is as the account")
  func full() throws {
    var scene = try Scene(["romeo": [], "juliet": []])
    try scene.bind("romeo/silent")
    try scene.online("juliet/j")
    for type in ["chat", "normal", "headline", "groupchat"] {
      let message = "<message type='\(type)' to='{romeo/silent}'><body>hi</body></message>"
      #expect(try scene.say("juliet/j", message) == ["romeo/silent": ["juliet/j: hi"]])
    }
    #expect(
      try scene.say("juliet/j", "<message type='error' to='{romeo/silent}'/>")
        == ["romeo/silent": ["message error ? ?"]])
    #expect(
      try scene.say("juliet/j", "<message type='groupchat' to='{romeo/gone}'/>")
        == ["juliet/j": ["message error cancel service-unavailable"]])
    try scene.online("romeo/r")
    #expect(
      try scene.say("juliet/j", "<message to='{romeo/gone}'><body>hi</body></message>") == ["romeo/r": ["juliet/j: hi"]]
    )
  }

  @Test("What nobody takes waits with the time when it came, for the first session that wants messages; news do not")
  func offline() throws {
    var scene = try Scene(["romeo": [], "juliet": []])
    try scene.online("juliet/j")
    scene.domain.now = 1_709_210_096
    #expect(try scene.say("juliet/j", "<message type='chat' to='{romeo}'><body>hi</body></message>").isEmpty)
    #expect(try scene.say("juliet/j", "<message type='headline' to='{romeo}'><body>news</body></message>").isEmpty)
    #expect(try scene.say("juliet/j", "<message type='chat' to='{romeo}'/>").isEmpty)
    let shy = try scene.online("romeo/shy", presence: "<presence><priority>-1</priority></presence>")
    #expect(shy == ["romeo/shy": ["romeo/shy"]])
    #expect(try scene.online("romeo/r")["romeo/r"] == ["romeo/r", "romeo/shy", "juliet/j: hi"])
    #expect(
      scene.last.last?.stanza.child("delay", "urn:xmpp:delay")?.attribute("stamp") == "2024-02-29T12:34:56Z")
    #expect(try scene.online("romeo/late")["romeo/late"]?.contains("juliet/j: hi") == false)
  }

  @Test("Not more waits than there is room for, and who sent the rest is told")
  func offlineLimits() throws {
    var scene = try Scene(["romeo": [], "juliet": []]) { $0.limits.offlineMessages = 2 }
    var small = try Scene(["romeo": [], "juliet": []]) { $0.limits.offlineBytes = 2000 }
    try scene.online("juliet/j")
    try small.online("juliet/j")
    let refusal = ["juliet/j": ["message error cancel service-unavailable"]]
    let message = "<message to='{romeo}'><body>hi</body></message>"
    for _ in 0..<2 { #expect(try scene.say("juliet/j", message).isEmpty) }
    #expect(try scene.say("juliet/j", message) == refusal)
    let long = String(repeating: "long ", count: 400)
    #expect(try small.say("juliet/j", "<message to='{romeo}'><body>\(long)</body></message>") == refusal)
  }

  @Test("Accounts that there are not are told of; an error is not answered")
  func nobody() throws {
    var scene = try Scene(["juliet": []])
    try scene.online("juliet/j")
    #expect(
      try scene.say("juliet/j", "<message to='{nobody}'/>")
        == ["juliet/j": ["message error cancel service-unavailable"]])
    #expect(try scene.say("juliet/j", "<message type='error' to='{nobody}'/>").isEmpty)
  }

  @Test("What a session was sent and perhaps never had goes to another one, or waits; questions are not answered twice")
  func unacknowledged() throws {
    var scene = try Scene(["romeo": [], "juliet": []])
    try scene.online("juliet/j", "romeo/r", "romeo/s")
    let message = try Element.parse(
      "<message from='juliet@foo.com/j' to='romeo@foo.com/r'><body>hi</body></message>", namespace: "jabber:client")
    let question = try Element.parse(
      "<iq type='get' id='1' from='juliet@foo.com/j' to='romeo@foo.com/r'><x xmlns='y'/></iq>",
      namespace: "jabber:client")
    #expect(
      scene.end("romeo/r", unacknowledged: [message, question]) == [
        "romeo/s": ["romeo/r unavailable", "juliet/j: hi"]
      ])
    #expect(scene.end("romeo/s", unacknowledged: [message]).isEmpty)
    #expect(try scene.online("romeo/t")["romeo/t"] == ["romeo/t", "juliet/j: hi"])
  }

  @Test("A moment is written as a date and a time")
  func stamps() throws {
    for (seconds, text) in [
      (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
      (4_107_542_400, "2100-03-01T00:00:00Z"),
    ] as [(UInt64, String)] {
      var scene = try Scene(["romeo": [], "juliet": []])
      try scene.online("juliet/j")
      scene.domain.now = seconds
      try scene.say("juliet/j", "<message to='{romeo}'><body>hi</body></message>")
      try scene.online("romeo/r")
      #expect(scene.last.last?.stanza.child("delay", "urn:xmpp:delay")?.attribute("stamp") == text)
    }
  }
}
