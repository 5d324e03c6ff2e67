// SPDX-License-Identifier: Apache-2.0

/// What tells a stranger of a session although no client can do anything about it, or makes two answers of one server
/// differ although they say the same.
public struct ServersOwnTell: Sendable {
  /// Which server tells.
  public let family: XMPPServer.Family
  /// What can be seen.
  public let what: String
  /// The questions of which it is true, by a part of their name; empty for all.
  var question = ""
  /// Whether the server said this itself, in the name of a session.
  var isServers: @Sendable (Node) -> Bool = { _ in false }
  /// Takes it out of an answer; nil where nothing is left.
  var hide: @Sendable (String) -> String? = { $0 }
}

/// The exceptions, each seen by experiment. A test of them is that the comparison fails without one.
public let serversOwnTells: [ServersOwnTell] = [
  ServersOwnTell(
    family: .prosody,
    what:
      "stanzas that a client sends gain xml:lang, the server's own have none; and as its attributes have no order of "
      + "their own, the others stand elsewhere",
    hide: {
      guard var node = Node($0) else { return $0 }
      if node["type"] == "error" { node.attributes["xml:lang"] = nil }
      return node.canonical
    }),
  ServersOwnTell(
    family: .ejabberd,
    what: "in the text of its own errors xml:lang stands in front, in a client's stanza xmlns always does",
    hide: {
      let namespace = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
      var result = ""
      var rest = Substring($0)
      while let at = rest.firstRange(of: "<text xml:lang='") {
        let value = rest[at.upperBound...].prefix { $0 != "'" }
        result += rest[..<at.lowerBound]
        rest = rest[value.endIndex...].dropFirst()
        if rest.hasPrefix(" \(namespace)") { rest = rest.dropFirst(namespace.count + 1) }
        result += "<text \(namespace) xml:lang='\(value)'"
      }
      return result + rest
    }),
  ServersOwnTell(
    family: .ejabberd,
    what: "it answers jabber:iq:last itself for a session that is there, and its own errors of that kind have no text",
    question: "last activity",
    hide: {
      guard let start = $0.firstRange(of: "<text "), let end = $0.firstRange(of: "</text>") else { return $0 }
      return String($0[..<start.lowerBound] + $0[end.upperBound...])
    }),
  ServersOwnTell(
    family: .ejabberd,
    what: "it repeats an address as the asker wrote it, which a client is not shown", question: "in capitals",
    hide: { $0.replacing("FROM CAPITALS", with: "FULL") }),
  ServersOwnTell(
    family: .jabberd2,
    what: "it says of a message that wants to know (XEP-0022) that it was kept for later, and forgets a namespace",
    question: "jabber:x:event",
    isServers: { $0.child("x", "jabber:x:event")?.child("offline") != nil },
    hide: { _ in nil }),
  ServersOwnTell(
    family: .jabberd2, what: "it answers disco#info itself, whether a session is there or not",
    isServers: {
      $0.child("query", "http://jabber.org/protocol/disco#info")?.child("identity")?["category"] == "account"
    }),
  ServersOwnTell(
    family: .jabberd2, what: "it takes what is about a roster for the asker's own, whomever it was for",
    question: "roster",
    isServers: { $0.child("query", "jabber:iq:roster") != nil && $0["from"] == $0["to"] },
    hide: { _ in nil }),
]

extension Witness {
  /// Whether the server itself said this, and no client of it.
  func isServersOwnWord(_ node: Node) -> Bool {
    serversOwnTells.contains { $0.family == server.family && $0.isServers(node) }
  }

  /// An answer to `question` without what the server itself tells; nil where nothing is left.
  func withoutServersOwnTells(_ answer: String, to question: String) -> String? {
    serversOwnTells.reduce(answer) { (rest: String?, tell) in
      guard let rest, tell.family == server.family, tell.question.isEmpty || question.contains(tell.question) else {
        return rest
      }
      return tell.hide(rest)
    }
  }
}
