// SPDX-License-Identifier: Apache-2.0

import Support

extension LoginFault {
  /// Those that are over at once.
  static let fast =
    connections + starts + certificates + mechanisms + scrams + streams + unreadable + bindings

  /// Those whose end is a time-out.
  static let slow: [LoginFault] = [
    .connection(
      "a server that never says anything", .fails("TimedOut", ["in time", "within"]), .silence(after: 0, .toServer)),
    .start("STARTTLS offered and then withheld", .fails("TimedOut", ["in time", "within"]), .withheld),
    .said("silence instead of features", .fails("TimedOut", ["within"]), instead: "<stream:features") { _ in "" },
    .said("silence instead of a challenge", .fails("TimedOut", ["within"]), instead: "<challenge") { _ in "" },
    .said("silence instead of the outcome", .fails("TimedOut", ["within"]), instead: "<success") { _ in "" },
    .said("an answer to another question for a resource", .fails("TimedOut", ["within"]), instead: "<iq") {
      $0.replacing("id='bind-", with: "id='bond-")
    },
    LoginFault("silence in the middle of the TLS handshake", .fails("TimedOut", ["in time", "within"])) {
      try FaultProxy(to: $0.witness.server.clientPort, fault: .silence(after: 1000, .toClient))
    },
    LoginFault("a server that does not read", .fails("TimedOut", ["in time", "within"])) {
      try FaultProxy(to: $0.witness.server.clientPort, fault: .deaf)
    },
  ]

  private static let connections: [LoginFault] = [
    LoginFault("nothing is wrong", .connects) { try $0.proxy() },
    LoginFault("nothing is wrong, TLS at once", .connects, tls: "direct") { try $0.proxy(.direct) },
    LoginFault("nothing is wrong, no TLS", .connects, tls: "off") { try $0.proxy(.never) },
    .connection("nothing is wrong, and nothing is read", .connects, .none),
    .connection("byte by byte", .connects, .trickle),
    LoginFault("refused", .fails("NetworkError", ["refused"])) {
      let proxy = try FaultProxy(to: $0.witness.server.clientPort)
      proxy.refuse(true)
      return proxy
    },
    .connection("cut at once", .fails("NetworkError", ["cut"]), .cut(after: 0, .toClient, .closed)),
    .connection("reset at once", .fails("NetworkError", [""]), .cut(after: 0, .toClient, .reset)),
  ]

  private static let starts: [LoginFault] = [
    .start("STARTTLS not offered", .fails("NetworkError", ["does not offer TLS"]), .missing),
    .start("STARTTLS offered and then refused", .fails("NetworkError", ["refused"]), .refused),
    .start(
      "features put behind the consent", .fails("NetworkError", ["followed"]),
      .followed(
        by: "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
          + "</mechanisms></stream:features>")),
    .start("a blank put behind the consent", .fails("NetworkError", ["followed"]), .followed(by: " ")),
    .start("no TLS behind the consent", .fails("NetworkError", ["TLS"]), .nonsense),
  ]

  private static let certificates: [LoginFault] = [
    .certificate("expired", ["expired"]) { $0.expired },
    .certificate("not yet valid", ["not valid yet"]) { $0.notYetValid },
    .certificate("for another host", ["CN=elsewhere.example"]) { $0.otherHost },
    .certificate("self-signed", ["itself", "self-signed"]) { $0.selfSigned },
    .certificate("with a missing link", ["CN=Middle of the fault tests"]) { $0.missingLink },
    .certificate("signed by a host", ["CN=localhost"]) { $0.signedByHost },
    .certificate("of a false root", ["CN=Root of the fault tests"]) { $0.falseRoot },
  ]

  private static let mechanisms: [LoginFault] = [
    .said("no mechanisms", .fails("AuthenticationFailed", ["no way to log in"]), instead: "<stream:features") {
      $0.replacing("<mechanism>", with: "<metchanism>").replacing("</mechanism>", with: "</metchanism>")
    },
    .said("mechanisms that there are not", .fails("AuthenticationFailed", ["no way"]), instead: "<stream:features") {
      $0.replacing("SCRAM-", with: "SCREAM-").replacing("PLAIN", with: "PLANE")
    },
    failure("not-authorized", ["password"]), failure("account-disabled", ["disabled"]),
    failure("credentials-expired", ["expired"]), failure("temporary-auth-failure", ["later"]),
    failure("mechanism-too-weak", ["SCRAM"]), failure("what-is-this", ["administrator"]),
    .said(
      "success without a proof", .fails("AuthenticationFailed", ["could not prove", "prove", "early"]),
      instead: "<challenge", objection: triesOnce
    ) { _ in "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>" },
    .said(
      "no proof with the success", .fails("AuthenticationFailed", ["prove"]), instead: "<success", objection: triesOnce
    ) {
      _ in "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
    },
  ]

  private static func failure(_ condition: String, _ words: [String]) -> LoginFault {
    .said(
      "the failure \(condition)", .fails("AuthenticationFailed", words), instead: "<challenge", objection: triesOnce
    ) {
      _ in "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><\(condition)/></failure>"
    }
  }

  private static let scrams: [LoginFault] =
    [
      .scram("a false signature", ["prove"], element: "<success", proves: true) {
        ($0.hasPrefix("v=AAAA") ? "v=BBBB" : "v=AAAA") + $0.dropFirst(6)
      },
      .scram("an empty signature", ["prove"], element: "<success", proves: true) { _ in "v=" },
      .scram("an error instead of a signature", element: "<success", proves: true) { _ in "e=other-error" },
      .scram("another nonce", ["nonce"]) { ($0.hasPrefix("r=0") ? "r=1" : "r=0") + $0.dropFirst(3) },
      .scram("our nonce and nothing more", ["nonce"]) { message in
        String(message.prefix(2 + 32) + message.drop { $0 != "," })
      },
      .scram("an endless nonce", ["nonce"]) { $0.replacing(",s=", with: String(repeating: "x", count: 5000) + ",s=") },
      .scram("no salt", []) { $0.replacing(",s=", with: ",x=") },
      .scram("an empty salt", ["salt"]) { message in
        message.replacing(/,s=[^,]*/, with: ",s=")
      },
      .scram("an extension that must be known") { "m=x," + $0 },
      .scram("nothing at all") { _ in "" },
    ]
    + ["0", "1", "-1", "4095", "200001", "4294967296", "99999999999999999999999999", "0x1000", "many", ""].map {
      count in
      .scram("iterations: \(count.isEmpty ? "none" : count)", ["number of times", "first message", "hashed"]) {
        $0.replacing(/,i=.*/, with: ",i=\(count)")
      }
    }

  private static let streams: [LoginFault] = [
    streamError("host-unknown", "ServerRefused"), streamError("policy-violation", "ServerRefused"),
    streamError("see-other-host", "ServerRefused"), streamError("system-shutdown", "ServerRefused"),
    streamError("conflict", "ServerRefused"), streamError("what-is-this", "ServerRefused"),
    .said("the end of the stream", .fails("NetworkError", ["ended"]), instead: "<stream:features") { _ in
      "</stream:stream>"
    },
    .said("another domain", .fails("NetworkError", ["another domain"]), instead: "<stream:stream") {
      $0.replacing("'localhost'", with: "'elsewhere.example'").replacing("\"localhost\"", with: "\"elsewhere.example\"")
    },
    .said("no version", .fails("NetworkError", ["version"]), instead: "<stream:stream") {
      $0.replacing("version=", with: "wersion=")
    },
    .said("an answer of HTTP", .fails("NetworkError", ["XMPP"]), instead: "<stream:stream") { _ in
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html><body>What?</body></html>"
    },
    .said("a page of HTML", .fails("NetworkError", ["XMPP"]), instead: "<stream:stream") { _ in
      "<html><body>What?</body></html>"
    },
  ]

  private static func streamError(_ condition: String, _ error: String) -> LoginFault {
    .said("the stream error \(condition)", .fails(error, [""]), instead: "<stream:features") { _ in
      "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
    }
  }

  private static let cannotBeRead = Outcome.fails("NetworkError", ["cannot be read"])

  private static let unreadable: [LoginFault] = [
    .said("a DTD", cannotBeRead, instead: "<stream:stream") {
      "<?xml version='1.0'?><!DOCTYPE stream [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>" + $0
    },
    .said("an entity", cannotBeRead, instead: "<stream:features") { $0.replacing("</stream:", with: "&a;</stream:") },
    .said("a processing instruction", cannotBeRead, instead: "<stream:features") { "<?php exit?>" + $0 },
    .said("a comment", cannotBeRead, instead: "<stream:features") { "<!-- psst -->" + $0 },
    .said("another encoding", cannotBeRead, instead: "<stream:stream") {
      "<?xml version='1.0' encoding='ISO-8859-1'?>" + $0
    },
    .bytes(
      "invalid UTF-8", cannotBeRead, instead: "<stream:features",
      Array("<stream:features><a>".utf8) + [0xc3, 0x28] + Array("</a></stream:features>".utf8)),
    .bytes(
      "a byte that is no character", cannotBeRead, instead: "<stream:features",
      Array("<stream:features>".utf8) + [0] + Array("</stream:features>".utf8)),
    .said("tags that do not match", cannotBeRead, instead: "<stream:features") { _ in "<stream:features></b>" },
    .said("features of 6 MB", cannotBeRead, instead: "<stream:features") {
      $0.replacing("</stream:", with: "<x>" + String(repeating: "0123456789", count: 600_000) + "</x></stream:")
    },
    .said("a header of 6 MB", cannotBeRead, instead: "<stream:stream") {
      $0.replacing("version=", with: "a='" + String(repeating: "0123456789", count: 600_000) + "' version=")
    },
    .said("a header with 10,000 attributes", cannotBeRead, instead: "<stream:stream") {
      $0.replacing("version=", with: (0..<10_000).map { "a\($0)='' " }.joined() + "version=")
    },
    .said("features that are 20,000 deep", .connects, instead: "<stream:features") {
      let depth = 20_000
      return $0.replacing(
        "</stream:",
        with: String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth) + "</stream:")
    },
    .said("100,000 features", .connects, instead: "<stream:features") {
      $0.replacing("</stream:", with: String(repeating: "<a xmlns='urn:a'/>", count: 100_000) + "</stream:")
    },
  ]

  private static let bindings: [LoginFault] = [
    .said("another account's address", .fails("NetworkError", ["another account"]), instead: "<iq") {
      $0.replacing(/<jid>[^<]*/, with: "<jid>somebody@localhost/here")
    },
    .said("no address", .fails("NetworkError", ["address"]), instead: "<iq") {
      $0.replacing(/<jid>[^<]*/, with: "<jid>")
    },
    .said("no resource", .fails("ServerRefused", ["conflict"]), instead: "<iq") {
      $0.contains("<jid>")
        ? $0.replacing("type='result'", with: "type='error'").replacing(
          /<bind.*<\/bind>/,
          with: "<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>") : $0
    },
    LoginFault("somebody else answers all questions first", .connects) {
      try $0.proxy { direction, piece in
        guard direction == .toClient else { return Array(piece.utf8) }
        if piece.hasPrefix("<iq"), !piece.contains("<jid>") { return Array((forged(piece) + piece).utf8) }
        // Nobody counts stanzas: the server knows nothing of these.
        return Array(piece.replacing("urn:xmpp:sm:", with: "urn:xmpp:none:").utf8)
      }
    },
  ]

  /// An answer in the name of somebody who was not asked, with a contact in the roster.
  private static func forged(_ answer: String) -> String {
    let id = answer.firstMatch(of: /id=['"]([^'"]*)/)?.1 ?? ""
    return "<iq type='result' id='\(id)' from='stranger@localhost/x'><query xmlns='jabber:iq:roster'>"
      + "<item jid='evil@localhost' subscription='both'/></query></iq>"
  }
}
