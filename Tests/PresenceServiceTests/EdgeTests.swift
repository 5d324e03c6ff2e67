// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import DBus
import Testing
import XMPP

@testable import PresenceService

@Suite("Object paths")
struct ObjectPathsTests {
  @Test(
    "Every byte outside letters and digits is written in hex",
    arguments: [
      ("juliet@shakespeare.lit", "juliet_40shakespeare_2elit"), ("1a@b", "1a_40b"), ("a_b@c", "a_5fb_40c"),
      ("jürg@x", "j_c3_bcrg_40x"), ("user%host@sip", "user_25host_40sip"),
    ])
  func escaping(_ text: String, _ component: String) {
    #expect(ObjectPaths.component(text) == component)
  }
}

@Suite("Interests")
struct InterestsTests {
  private let path = "/org/nightcloak/Presence1/u1000/a_40b"
  private let subtree = "/org/nightcloak/Presence1/u1000"

  private func hearers(_ interests: Interests, _ interface: String?, owner: UInt32 = 1000) -> [String] {
    interests.recipients(interface, path: path, subtree: subtree, owner: owner)
  }

  @Test("Nobody hears anything who has not asked for it")
  func nobody() { #expect(hearers(Interests(), "I").isEmpty) }

  @Test("An interface's token brings its signals and the coming and going of objects, and no other interface's")
  func token() {
    var interests = Interests()
    interests.add(["I"], for: ":1.1", uid: 1000)
    #expect(hearers(interests, "I") == [":1.1"])
    #expect(hearers(interests, "J").isEmpty)
    #expect(hearers(interests, nil) == [":1.1"])
    interests.remove(["I"], for: ":1.1")
    #expect(hearers(interests, nil).isEmpty)
  }

  @Test("A client of another uid hears nothing, whatever it asked for")
  func otherUser() {
    var interests = Interests()
    interests.add([Interests.everything], for: ":1.1", uid: 1001)
    interests.add(path: path, for: ":1.1", uid: 1001)
    #expect(hearers(interests, "I").isEmpty)
    #expect(hearers(interests, nil).isEmpty)
  }

  @Test("Who has read an object or its subtree whole is kept up to date, until the object or the client goes")
  func readers() {
    var interests = Interests()
    interests.add(path: path, for: ":1.1", uid: 1000)
    interests.add(path: subtree, for: ":1.2", uid: 1000)
    #expect(hearers(interests, "I") == [":1.1", ":1.2"])
    interests.remove(path: path)
    #expect(hearers(interests, "I") == [":1.2"])
    interests.removeClient(":1.2")
    #expect(hearers(interests, "I").isEmpty)
  }

  @Test("One user has room for sixty-four clients, and a client that left makes room again")
  func limit() {
    var interests = Interests()
    for number in 0..<Interests.mostClientsPerUID { interests.add(["I"], for: ":1.\(number)", uid: 1000) }
    #expect(!interests.hasRoom(for: ":2.0", uid: 1000))
    #expect(interests.hasRoom(for: ":1.0", uid: 1000))
    #expect(interests.hasRoom(for: ":2.0", uid: 1001))
    interests.removeClient(":1.5")
    #expect(interests.hasRoom(for: ":2.0", uid: 1000))
  }
}

@Suite("Subjects of rules")
struct RuleSubjectTests {
  @Test(
    "A bare JID is a contact, and an at sign with a domain the domain, both prepared",
    arguments: [
      ("Romeo@Montague.LIT", RuleSubject.contact(BareAddress("romeo@montague.lit"))),
      ("sip.example.org", .contact(BareAddress("sip.example.org"))), ("@Montague.LIT", .domain("montague.lit")),
    ])
  func read(_ text: String, _ subject: RuleSubject) throws { #expect(try ruleSubject(text) == subject) }

  @Test(
    "Nothing else is one",
    arguments: [
      "", "@", "@@", "@romeo@montague.lit", "romeo@montague.lit/garden", "@montague.lit/garden", "to:*%a@b", "@*",
      "@*.lit",
    ])
  func refused(_ text: String) {
    let error = #expect(throws: AccountError.self) { try ruleSubject(text) }
    #expect(error?.code == .invalidJID && error?.text.contains("subject") == true)
  }
}

@Suite("Options of calls")
struct OptionsTests {
  @Test("A key of another type is refused by name, with the type that it must have")
  func wrongType() {
    var options = Options(["lifetime": "soon"], in: "options of Approve")
    let error = #expect(throws: DBusError.self) { try options.take("lifetime", UInt32.self) }
    #expect(error?.name == .invalidArgs)
    for word in ["lifetime", "type u", "not s", "Approve"] { #expect(error?.message.contains(word) == true) }
  }

  @Test("A key that nobody has read is refused by name; one that is not built yet says so")
  func unknown() throws {
    var options = Options(["full": true, "colour": "red"], in: "options of Approve")
    #expect(try options.take("full", Bool.self) == true)
    let unknown = #expect(throws: DBusError.self) { try options.end(known: "full") }
    #expect(unknown?.name == .invalidArgs && unknown?.message.contains("\"colour\"") == true)
    let unbuilt = #expect(throws: DBusError.self) { try options.refuse("colour") }
    #expect(unbuilt?.name == .notSupported && unbuilt?.message.contains("\"colour\"") == true)
  }
}
