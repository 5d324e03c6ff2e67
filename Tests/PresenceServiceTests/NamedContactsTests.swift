// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import Store
import Testing
import XMPP

@testable import PresenceService

@Suite("Whom a call names")
struct NamedContactsTests {
  private let juliet: BareJID

  init() throws { juliet = try BareJID("juliet@localhost") }

  private func read(_ texts: [String]) throws(AccountError) -> NamedContacts { try NamedContacts(texts, of: juliet) }

  private func refusal(_ texts: [String]) throws -> AccountError {
    try #require(#expect(throws: AccountError.self, "\(texts)") { try read(texts) })
  }

  @Test("JIDs are prepared, groups are taken as they are, and what is named twice is named once")
  func reading() throws {
    let named = try read([
      "Romeo@LOCALHOST", "romeo@localhost", "group:Old Friends ", "group:group:x", "group:not:y@z",
      "not:Tybalt@localhost",
      "sip.example.org",
    ])
    #expect(named.contacts == [try BareJID("romeo@localhost"), try BareJID("sip.example.org")])
    #expect(named.groups == ["Old Friends ", "group:x", "not:y@z"])
    #expect(named.withheld == [try BareJID("tybalt@localhost")])
    #expect(try read([]).isEmpty)
  }

  @Test("An address of a gateway's own is no contact: nobody would be hidden, and the address least of all")
  func own() throws {
    let sip = try BareJID("sip.localhost")
    #expect(try NamedContacts(["romeo@localhost"], of: sip).contacts.count == 1)
    for texts in [["romeo%a.b@sip.localhost"], ["not:1@SIP.localhost"], ["sip.localhost"]] {
      let error = #expect(throws: AccountError.self, "\(texts)") { try NamedContacts(texts, of: sip) }
      #expect(error?.code == .invalidArgument)
    }
    #expect(try NamedContacts(["tybalt@localhost"], of: juliet).contacts.count == 1)
  }

  @Test(
    "What cannot be read is refused by name",
    arguments: [
      (["romeo@localhost", "no jid at all"], AccountError.Code.invalidJID, "no jid at all"),
      (["romeo@localhost/orchard"], .invalidJID, "romeo@localhost/orchard"), ([""], .invalidJID, "contacts"),
      (["not:"], .invalidJID, "contacts"), (["not:group:Friends"], .invalidJID, "group:Friends"),
      (["not:a@b/c"], .invalidJID, "a@b/c"), (["Group:Friends"], .invalidJID, "Group:Friends"),
      (["group:"], .invalidArgument, "group:"), (["JULIET@localhost"], .invalidArgument, "juliet@localhost"),
      (["not:juliet@localhost"], .invalidArgument, "juliet@localhost"),
      (["group:g", "a@b", "not:a@b"], .invalidArgument, "not:a@b"),
    ])
  func refused(_ texts: [String], _ code: AccountError.Code, _ word: String) throws {
    let error = try refusal(texts)
    #expect(error.code == code)
    #expect(error.text.contains(word), "\(error.text)")
  }

  @Test("A group's name, and how many are named, have limits; both hold to the last")
  func limits() throws {
    let longest = String(repeating: "é", count: StoredVisibility.mostGroupBytes / 2)
    #expect(try read(["group:\(longest)"]).groups == [longest])
    #expect(try refusal(["group:\(longest)x"]).code == .limitExceeded)
    let most = StoredVisibility.mostContacts + StoredVisibility.mostGroups
    #expect(try read(Array(repeating: "a@b", count: most)).contacts.count == 1)
    #expect(try refusal(Array(repeating: "a@b", count: most + 1)).code == .limitExceeded)
  }

  @Test("Modes and contacts come to a wish, and what does not go together is refused")
  func wishes() throws {
    func wish(_ mode: Mode, _ texts: [String]) throws -> VisibilityWish { try VisibilityWish(mode, try read(texts)) }
    #expect(try wish(.visible, []) == .visible)
    #expect(try wish(.invisible, []) == .invisible)
    #expect(try wish(.except, []) == .visible)
    #expect(try wish(.only, []) == .invisible)
    let only = try wish(.only, ["group:Friends", "romeo@localhost", "not:tybalt@localhost"])
    #expect(only.mode == .only)
    #expect(only.contactTexts == ["group:Friends", "not:tybalt@localhost", "romeo@localhost"])
    #expect(try wish(.only, only.contactTexts) == only)
    #expect(try wish(.except, ["romeo@localhost"]).mode == .except)
    for (mode, texts) in [
      (Mode.visible, ["romeo@localhost"]), (.invisible, ["group:Friends"]), (.only, ["romeo@localhost", "not:a@b"]),
    ] {
      let error = try #require(#expect(throws: AccountError.self) { try wish(mode, texts) })
      #expect(error.code == .invalidArgument)
    }
  }

  @Test("Single contacts are shown and hidden by their names alone")
  func withheld() throws {
    try read(["group:Friends", "romeo@localhost"]).requireNoneWithheld()
    let named = try read(["not:romeo@localhost"])
    let error = try #require(#expect(throws: AccountError.self) { try named.requireNoneWithheld() })
    #expect(error.code == .invalidArgument && error.text.contains("SetVisibility"))
  }
}
