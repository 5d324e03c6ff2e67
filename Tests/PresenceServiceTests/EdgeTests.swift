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
      "", "@", "@@", "@romeo@montague.lit", "romeo@montague.lit/garden", "@montague.lit/garden", "@*", "@*.lit",
    ])
  func refused(_ text: String) {
    let error = #expect(throws: AccountError.self) { try ruleSubject(text) }
    #expect(error?.code == .invalidJID && error?.text.contains("subject") == true)
  }

  private let sip: BareJID

  init() throws { sip = try BareJID("sip.montague.lit") }

  @Test(
    "At a gateway a rule may be about its own addresses, in whatever way they are written",
    arguments: [
      ("to:*%verona.lit@sip.montague.lit", "to:*%verona.lit@sip.montague.lit"),
      ("to:Romeo\\40verona.lit@sip.montague.lit", "to:romeo%verona.lit@sip.montague.lit"), ("to:*", "to:*"),
      ("to:+1-555*@sip.montague.lit", "to:+1555*@sip.montague.lit"),
      ("to:+1 (555)*@sip.montague.lit", "to:+1555*@sip.montague.lit"),
      ("to:Stra\u{DF}e%*@sip.montague.lit", "to:strasse%*@sip.montague.lit"),
      ("to:cafe\u{301}*", "to:caf\u{E9}*"),
      ("to:a\u{600}@b.lit@sip.montague.lit", "to:a\u{600}%b.lit@sip.montague.lit"),
    ])
  func target(_ text: String, _ canonical: String) throws {
    let subject = try ruleSubject(text, at: sip)
    #expect(Array(subject.description.utf8) == Array(canonical.utf8), "\(subject)")
    guard case .target = subject else { return #expect(Bool(false), "\(subject)") }
  }

  @Test(
    "Who asks a gateway is none of its own addresses: a rule that means these is told how it is written",
    arguments: [
      ("@sip.montague.lit", "to:*@sip.montague.lit"), ("@SIP.montague.lit.", "to:*@sip.montague.lit"),
      ("romeo%verona.lit@sip.montague.lit", "to:romeo%verona.lit@sip.montague.lit"),
      ("sip.montague.lit", "to:*@sip.montague.lit"),
    ])
  func own(_ text: String, _ meant: String) {
    let error = #expect(throws: AccountError.self) { try ruleSubject(text, at: sip) }
    #expect(error?.code == .invalidArgument && error?.text.contains(meant) == true, "\(String(describing: error))")
  }

  @Test("An account is told why it has no such rule")
  func targetOfAccount() {
    let error = #expect(throws: AccountError.self) { try ruleSubject("to:*%a@b") }
    #expect(error?.code == .invalidArgument && error?.text.contains("one: name who asks") == true)
  }

  @Test(
    "A pattern that no address of the gateway can match is refused: it would hide all of them",
    arguments: [
      ("to:romeo%verona.lit@sip.capulet.lit", "sip.montague.lit"), ("to:*@", "must end in"), ("to:", "must end in"),
      ("to:romeo", "must end in"), ("to:a b%c@sip.montague.lit", "no address"),
    ])
  func targetRefused(_ text: String, _ word: String) {
    let error = #expect(throws: AccountError.self) { try ruleSubject(text, at: sip) }
    #expect(error?.code == .invalidArgument && error?.text.contains(word) == true, "\(String(describing: error))")
  }
}

@Suite("What is too much for a call")
struct TooMuchTests {
  private let long = String(repeating: "a", count: 1_000_000)

  @Test("A text that is too long for a JID is not even prepared", arguments: ["", "@example.org", "/r"])
  func longJID(_ end: String) {
    let error = #expect(throws: AccountError.self) { try anyJID(long + end, "contact") }
    #expect(error?.code == .invalidJID && error?.text.contains("3071 are the most") == true)
    #expect((error?.text.utf8.count ?? .max) < 300)
  }

  @Test("What is wrong with a long text is said behind its beginning")
  func longText() {
    let key = #expect(throws: DBusError.self) {
      try Options([long: true], in: "options of Approve").end(known: "full, lifetime")
    }
    #expect(key?.message.contains("options of Approve (known: full, lifetime)") == true)
    let scope = #expect(throws: DBusError.self) { try oneOf(AnswerScope.allCases, long, "scope") }
    #expect(scope?.message.contains("must be one of \"once\"") == true)
    for error in [key, scope] { #expect((error?.message.utf8.count ?? .max) < 300) }
  }

  @Test("A list without pages has room for as much as a page")
  func longList() throws {
    try Page.requireRoom(for: 5000, "sessions", "ListAudience has pages")
    let error = #expect(throws: DBusError.self) {
      try Page.requireRoom(for: 5001, "sessions", "ListAudience has pages")
    }
    #expect(error?.name == .limitsExceeded && error?.message.contains("ListAudience") == true)
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
