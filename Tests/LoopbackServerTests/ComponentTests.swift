// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import Testing

@Suite("Components (XEP-0114)")
struct ComponentTests {
  @Test("Stanzas go there by domain and come from there, and only in the component's own name")
  func routing() throws {
    var scene = try Scene(["romeo": []], components: ["plays.foo.com"])
    try scene.online("romeo/r")
    #expect(try scene.ask("romeo/r", to: "bot@plays.foo.com", "<x xmlns='y'/>") == "wait remote-server-timeout")
    scene.component("plays.foo.com")
    #expect(
      try scene.say("romeo/r", "<message to='bot@plays.foo.com/x'><body>hi</body></message>")
        == ["plays.foo.com": ["romeo/r: hi"]])
    #expect(
      try scene.say("plays.foo.com", "<message from='bot@plays.foo.com' to='{romeo}'><body>ho</body></message>")
        == ["romeo/r": ["bot@plays.foo.com: ho"]])
    #expect(
      try scene.say("plays.foo.com", "<message from='juliet@foo.com' to='{romeo}'><body>ho</body></message>")
        == ["plays.foo.com": ["message error modify jid-malformed"]])
    scene.end("plays.foo.com")
    #expect(try scene.ask("romeo/r", to: "plays.foo.com", "<x xmlns='y'/>") == "wait remote-server-timeout")
  }

  @Test("A gateway's contact subscribes, sees presence and is told of the end; hidden, it is not even asked")
  func presence() throws {
    var scene = try Scene(["romeo": ["bot@plays.foo.com"]], components: ["plays.foo.com"])
    scene.component("plays.foo.com")
    #expect(
      try scene.online("romeo/r")["plays.foo.com"] == ["romeo/r", "romeo probe"])
    #expect(
      try scene.say("plays.foo.com", "<presence from='bot@plays.foo.com/x' to='{romeo}'/>")
        == ["romeo/r": ["bot@plays.foo.com/x"]])
    #expect(
      try scene.say("plays.foo.com", "<presence type='probe' from='bot@plays.foo.com' to='{romeo}'/>")
        == ["plays.foo.com": ["romeo/r"]])
    #expect(scene.end("romeo/r") == ["plays.foo.com": ["romeo/r unavailable"]])
    #expect(try scene.online("romeo/s", presence: "<presence type='invisible'/>").isEmpty)
    #expect(try scene.say("plays.foo.com", "<presence type='probe' from='bot@plays.foo.com' to='{romeo}'/>").isEmpty)
  }
}
