// SPDX-License-Identifier: Apache-2.0

import Support

extension SessionFault {
  static let all = cuts + ends + unreadable + harmless + changes

  /// Those in which the server has a part.
  static let depending = cuts + changes

  /// Those that are only noticed after a while.
  static let slow: [SessionFault] = [
    SessionFault("half-open", .comesBack([""]), isVisible: true) { scene, subject in
      subject.proxy.strike(.silence(after: 0, .toClient))
      // Somebody has something to say, and an answer is expected.
      try subject.account.call(.Connection, "SetPresence", [.string("away"), .string("gone"), .options()])
    },
    SessionFault("half-open, hidden", .comesBack([""])) { scene, subject in
      subject.proxy.strike(.silence(after: 0, .toClient))
      _ = try subject.account.begin(
        .Connection, "Subscribe", [.string("nobody@localhost"), .options(["reveal": .bool(true)])])
    },
  ]

  private static let cuts: [SessionFault] = [
    SessionFault("cut", .comesBack(["cut", "closed", "connection"]), isVisible: true) { $1.proxy.cut(.closed) },
    SessionFault("reset", .comesBack(["reset", "cut"]), isVisible: true) { $1.proxy.cut(.reset) },
    SessionFault("cut, hidden", .comesBack(["cut", "closed", "connection"])) { $1.proxy.cut(.closed) },
    SessionFault("cut in the middle of a stanza", .comesBack([""])) { scene, subject in
      subject.proxy.strike(.cut(after: 40, .toClient, .closed))
      subject.proxy.inject("<message from='stranger@localhost/x'><body>" + String(repeating: "x", count: 500))
    },
    SessionFault("reset, and refused for a while", .comesBack([""])) { scene, subject in
      subject.proxy.refuse(true)
      subject.proxy.cut(.reset)
      try subject.bus.wait(for: "a try that fails", within: .seconds(20)) {
        subject.statuses.filter { $0.status == "waiting" }.count == 2
      }
      subject.proxy.refuse(false)
    },
  ]

  private static let ends: [SessionFault] = [
    .said("the end of the stream", .comesBack(["restarting", "ended"])) { _ in "</stream:stream>" },
    .streamError("system-shutdown", .comesBack([""])), .streamError("reset", .comesBack([""])),
    .streamError("internal-server-error", .comesBack([""])), .streamError("what-is-this", .comesBack([""])),
    .streamError("conflict", .ends(["Another program"])), .streamError("policy-violation", .ends([""])),
    .streamError("host-gone", .ends([""])), .streamError("see-other-host", .ends([""])),
    .streamError("not-authorized", .ends([""])),
  ]

  private static let cannotBeRead = Outcome.comesBack(["cannot be read"])

  private static let unreadable: [SessionFault] = [
    .said("a processing instruction", cannotBeRead) { _ in "<?php exit?>" },
    .said("a comment", cannotBeRead) { _ in "<message><!-- psst --></message>" },
    .said("an entity", cannotBeRead) { _ in "<message><body>&nbsp;</body></message>" },
    .said("a DTD", cannotBeRead) { _ in "<!DOCTYPE a [<!ENTITY b 'c'>]>" },
    .said("tags that do not match", cannotBeRead) { _ in "<message></presence>" },
    .said("5 MB of what is no stanza", cannotBeRead) { _ in
      "<odd>" + String(repeating: "0123456789", count: 500_000) + "</odd>"
    },
    .said("an endless tag", cannotBeRead) { _ in "<message " + String(repeating: "a", count: 5_000_000) },
    SessionFault("invalid UTF-8", cannotBeRead) {
      $1.proxy.inject(Array("<message><body>".utf8) + [0xff, 0xfe] + Array("</body></message>".utf8))
    },
  ]

  private static let onlyTheContact: @Sendable (Scene, Subject) throws -> Void = { scene, subject in
    let roster = try subject.roster()
    guard roster == [scene.contact.bare] else { throw WitnessError("the roster is \(roster)") }
  }

  private static let harmless: [SessionFault] = [
    .said("a message that is 50,000 deep", .goesOn, stanzas: 1) { _ in
      "<message from='stranger@localhost/x'>" + String(repeating: "<a>", count: 50_000)
        + String(repeating: "</a>", count: 50_000) + "</message>"
    },
    .said("a message of 5 MB", .goesOn, stanzas: 1) { _ in
      "<message from='stranger@localhost/x'><body>" + String(repeating: "0123456789", count: 500_000)
        + "</body></message>"
    },
    .said("stanzas that are none", .goesOn, stanzas: 5) { _ in
      "<iq/><presence type='odd'/><message to='@'/><iq type='get' from='@@'/><odd/><iq type='result'/> \n\n"
    },
    .said(
      "pushes of a roster by a stranger, by the server's name, and by another resource", .goesOn, check: onlyTheContact,
      stanzas: 4
    ) { subject in
      ["stranger@localhost/x", "localhost", "stranger@localhost", "elsewhere.example"].map { from in
        "<iq type='set' id='push' from='\(from)' to='\(subject.fullJID)'><query xmlns='jabber:iq:roster'>"
          + "<item jid='evil@localhost' subscription='both'/></query></iq>"
      }.joined()
    },
    .said("10,000 answers that nobody asked for", .goesOn, check: onlyTheContact, stanzas: 10_000) { subject in
      (0..<10_000).map { number in
        "<iq type='result' id='\(number)' from='stranger@localhost/x'><query xmlns='jabber:iq:roster'>"
          + "<item jid='evil@localhost' subscription='both'/></query></iq>"
      }.joined()
    },
    .said(
      "10,000 pushes of the roster at once", .goesOn,
      check: { scene, subject in
        let count = try subject.roster().count
        guard count == 10_001 else { throw WitnessError("the roster has \(count) contacts") }
      }, stanzas: 10_000
    ) { subject in
      (0..<10_000).map { number in
        "<iq type='set' id='p\(number)' to='\(subject.fullJID)'><query xmlns='jabber:iq:roster'>"
          + "<item jid='somebody\(number)@localhost' subscription='none' name='Somebody'/></query></iq>"
      }.joined()
    },
    SessionFault("a server that asks and does not read the answers", .comesBack(["does not read", "does not keep up"]))
    { scene, subject in
      subject.proxy.strike(.deaf)
      for thousand in 0..<60 {
        let questions = (0..<1000).map { number in
          "<iq type='get' id='\(thousand)-\(number)' to='\(subject.fullJID)'><ping xmlns='urn:xmpp:ping'/></iq>"
        }
        subject.proxy.inject(questions.joined())
      }
    },
    SessionFault("byte by byte", .goesOn) { $1.proxy.strike(.trickle) },
  ]

  private static let changes: [SessionFault] = [
    .changed("another certificate when it comes back", .ends(["CN=localhost"])) {
      Interception(.starttls, showing: $0.certificates.selfSigned)
    },
    .changed("the password does not count any more", .ends(["password"])) { failing("not-authorized", $0) },
    .changed("no TLS when it comes back", .comesBack([""])) { scene in
      // It is offered again when it was missing once.
      let once = Once()
      return Interception(.starttls, showing: scene.certificates.good) { direction, piece in
        guard direction == .toClient, piece.hasPrefix("<stream:features"), once.isFirst else {
          return Array(piece.utf8)
        }
        return Array("</stream:stream>".utf8)
      }
    },
    .changed("a failure that passes", .comesBack([""])) { scene in
      let once = Once()
      return Interception(.starttls, showing: scene.certificates.good) { direction, piece in
        guard direction == .toClient, piece.hasPrefix("<challenge"), once.isFirst else { return Array(piece.utf8) }
        return Array(failure("temporary-auth-failure").utf8)
      }
    },
  ]

  private static func failing(_ condition: String, _ scene: Scene) -> Interception {
    Interception(
      .starttls, showing: scene.certificates.good,
      change: Interception.changing(.toClient, "<challenge") { _ in failure(condition) })
  }

  private static func failure(_ condition: String) -> String {
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><\(condition)/></failure>"
  }
}

/// Something that is so once.
private final class Once: @unchecked Sendable {
  // Asked on the proxy's thread alone.
  private var isOver = false

  var isFirst: Bool {
    defer { isOver = true }
    return !isOver
  }
}
