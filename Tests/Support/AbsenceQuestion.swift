// SPDX-License-Identifier: Apache-2.0

extension StrangerQuestion {
  /// Every kind of stanza that an absent resource might answer, to be put to a full JID.
  public static let everyKind: [StrangerQuestion] = all + everyQuery + everyMessage + everyPresence

  private static func query(_ name: String, _ content: String, type: String = "get", _ more: String = "") -> Self {
    StrangerQuestion(
      name: name, xml: "<iq type='\(type)' id='ID' to='ADDRESS'\(more)>\(content)</iq>", fullOnly: true)
  }

  private static let error =
    "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"

  private static let everyQuery: [StrangerQuestion] = [
    query("two payloads", "<a xmlns='urn:x'/><b xmlns='urn:y'/>"),
    query("no payload", ""),
    query(
      "attributes, text and quotes",
      "<q xmlns='urn:x' z='1' a=\"it&apos;s\">t &lt; &quot;u&quot; ü<b d='1' c='2'/>v</q>"),
    query("white space", "<q xmlns='urn:x' a='&#9;&#10;'>\n <b/> </q>"),
    query("text between elements", "hello<q xmlns='urn:x'/>world"),
    query("another language", "<q xmlns='urn:x'/>", " xml:lang='de'"),
    query("a second one in that language", "<q xmlns='urn:y'/>", " xml:lang='de'"),
    query("a language that there is not", "<q xmlns='urn:x'/>", " xml:lang='tlh'"),
    query("a language that is none", "<q xmlns='urn:x'/>", " xml:lang='\(String(repeating: "x", count: 50))'"),
    query("a payload in another language", "<q xmlns='urn:x' xml:lang='fr'/>", type: "set"),
    query("the stream's namespace", "<foo/>"),
    query("no namespace", "<foo xmlns=''/>"),
    query("time", "<time xmlns='urn:xmpp:time'/>"),
    query("a card", "<vCard xmlns='vcard-temp'/>"),
    query("private data", "<query xmlns='jabber:iq:private'><a xmlns='urn:x'/></query>"),
    query("a session", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>", type: "set"),
    query("nodes", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='a'/></pubsub>"),
    query("an attribute that there is not", "<q xmlns='urn:x'/>", " foo='bar'"),
    query("a result with a payload", "<q xmlns='urn:x'/>", type: "result"),
    query("an error that nobody asked for", error, type: "error"),
    query("a type that there is not", "<q xmlns='urn:x'/>", type: "foo"),
    StrangerQuestion(
      name: "another order", xml: "<iq to='ADDRESS' xml:lang='en' id='ID' type='get'><q xmlns='urn:x'/></iq>",
      fullOnly: true),
    StrangerQuestion(name: "no id", xml: "<iq to='ADDRESS' type='get'><q xmlns='urn:x'/></iq>", fullOnly: true),
    StrangerQuestion(
      name: "an empty id", xml: "<iq to='ADDRESS' type='set' id=''><q xmlns='urn:x'/></iq>", fullOnly: true),
    StrangerQuestion(
      name: "in capitals", xml: "<iq to='CAPITALS' type='get' id='ID'><q xmlns='urn:x'/></iq>", fullOnly: true),
  ]

  /// What a message may say, from nothing to what is for the moment, for later, or for nobody to keep.
  private static let contents: [(String, String)] = [
    ("nothing", ""), ("a body", "<body>there?</body>"), ("an empty body", "<body/>"),
    ("a chat state", "<active xmlns='http://jabber.org/protocol/chatstates'/>"),
    ("a chat state in a thread", "<composing xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread>"),
    ("something unknown", "<foo xmlns='urn:x' b='1' a='2'/>"),
    ("something unknown to keep by nobody", "<foo xmlns='urn:x'/><no-store xmlns='urn:xmpp:hints'/>"),
    ("a body to keep by nobody", "<body>n</body><no-store xmlns='urn:xmpp:hints'/>"),
    ("nothing to keep by nobody", "<no-store xmlns='urn:xmpp:hints'/>"),
    ("nothing to copy", "<no-copy xmlns='urn:xmpp:hints'/>"),
    ("nothing to keep for long", "<no-permanent-store xmlns='urn:xmpp:hints'/>"),
    ("a subject", "<subject>s</subject>"), ("a thread", "<thread>t</thread>"),
    ("the wish for a receipt", "<request xmlns='urn:xmpp:receipts'/>"),
    ("a receipt", "<received xmlns='urn:xmpp:receipts' id='1'/>"),
    ("a marker", "<markable xmlns='urn:xmpp:chat-markers:0'/>"),
    ("an old date", "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>"),
    ("a call", "<propose xmlns='urn:xmpp:jingle-message:0' id='c1'/>"),
    ("a call that is taken back", "<retract xmlns='urn:xmpp:jingle-message:0' id='c1'/>"),
    ("a node's event", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>"),
    ("a jabber:x:event", "<x xmlns='jabber:x:event'><id>1</id><composing/></x>"),
    ("the wish for a jabber:x:event", "<x xmlns='jabber:x:event'><offline/></x>"),
    ("an invitation", "<x xmlns='http://jabber.org/protocol/muc#user'><invite/></x>"),
    ("everything", "<body>x</body><foo xmlns='urn:x'/><thread>t</thread><subject>s</subject><bar xmlns='urn:y'/>"),
  ]

  private static let everyMessage: [StrangerQuestion] =
    ["chat", "normal", "headline", "groupchat", "error", "foo", ""].flatMap { type in
      contents.map { name, xml in
        let attribute = type.isEmpty ? "" : " type='\(type)'"
        return StrangerQuestion(
          name: "a message of the type \"\(type)\" with \(name)",
          xml: "<message\(attribute) id='ID' to='ADDRESS'>\(xml)</message>", fullOnly: true)
      }
    } + [
      StrangerQuestion(
        name: "an empty message in another language", xml: "<message type='chat' to='ADDRESS' xml:lang='de' id='ID'/>",
        fullOnly: true),
      StrangerQuestion(
        name: "a groupchat message in a third language",
        xml: "<message type='groupchat' to='ADDRESS' xml:lang='fr' id='ID'><body>x</body></message>", fullOnly: true),
      StrangerQuestion(
        name: "a groupchat message without id", xml: "<message type='groupchat' to='ADDRESS'><body>x</body></message>",
        fullOnly: true),
    ]

  private static let everyPresence: [StrangerQuestion] = ["unavailable", "error"].map {
    StrangerQuestion(
      name: "presence of the type \"\($0)\"", xml: "<presence type='\($0)' id='ID' to='ADDRESS'/>", fullOnly: true)
  }
}
