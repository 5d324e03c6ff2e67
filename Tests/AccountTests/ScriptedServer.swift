// SPDX-License-Identifier: Apache-2.0

import Account
import Audience
import EventLoop
import Logging
import Testing
import XML
import XMPP

/// A server without a network: answers what every server answers at once, keeps all that was sent, and says what a
/// test tells it to say.
@LoopActor
final class ScriptedServer: StanzaStream {
  var onEvent: @LoopActor (StreamEvent) -> Void = { _ in }
  /// All that left the account, in order.
  private(set) var sent: [Element] = []
  private(set) var isClosed = false
  /// Whether the end that follows a close is left to ``end()``.
  var isSlowToClose = false
  var resource: String
  var roster = ""
  /// Whether questions are left without an answer.
  var isMute = false
  /// Whether answers wait for ``releaseAnswers()``.
  var holdsAnswers = false
  private var held: [Element] = []
  /// Sessions of other accounts that answer questions, by full JID: the payload that they answer with.
  var answers: [String: String] = [:]
  /// What comes back for a stanza, before anything else is looked at.
  var bounces: @LoopActor (Element) -> String? = { _ in nil }
  /// Called with each stanza that arrives here.
  var onSend: @LoopActor () -> Void = {}
  let configuration: ClientConfiguration

  /// What the account wants to go on with.
  let resumption: Resumption?
  /// How many of the last stanzas it says that it never had; nil for all that it had not confirmed.
  var lost: Int?
  /// What follows at once when a session goes on.
  var greeting: String?
  /// Whether the server has that session still.
  var resumes = true
  /// Whether the server keeps sessions whose stream is lost.
  var keepsSessions = true
  var features = StreamFeatures()
  var mechanism = "PLAIN"
  /// The version of the roster; nil for a server that has none.
  var rosterVersion: String?
  /// What it says of itself (XEP-0030).
  var disco = "<identity category='server' type='im' name='Scripted'/>"
  /// What was said about somebody looking.
  private(set) var activity: [Bool] = []
  private(set) var checks = 0

  init(_ configuration: ClientConfiguration, resource: String, resumption: Resumption? = nil) {
    self.configuration = configuration
    self.resource = configuration.resource ?? resource
    self.resumption = resumption
  }

  var fullJID: String { "\(configuration.account)/\(resource)" }

  func open() {
    guard !isMute, let jid = try? FullJID(fullJID) else { return }
    if let resumption, resumes {
      session = resumption.jid
      onEvent(
        .resumed(
          Security(tls: nil, mechanism: mechanism, channelBinding: nil),
          unacknowledged: unconfirmed(of: resumption)))
      if let greeting { say(greeting) }
      return
    }
    session = jid
    if let resumption { onEvent(.notResumed(unacknowledged: unconfirmed(of: resumption))) }
    onEvent(.bound(jid, features, Security(tls: nil, mechanism: mechanism, channelBinding: nil)))
  }

  private func unconfirmed(of resumption: Resumption) -> [SentStanza] {
    resumption.unacknowledged.suffix(lost ?? resumption.unacknowledged.count)
  }

  func close() {
    isClosed = true
    onSend()
    if !isSlowToClose { end() }
  }

  private var session: FullJID?

  /// The connection breaks.
  /// - Parameter unacknowledged: how many of the last stanzas never arrived.
  func cut(unacknowledged: Int = 0, keeping: Duration = .seconds(600), time: any TimeSource) {
    var resumption: Resumption?
    if keepsSessions, let session {
      resumption = Resumption(
        jid: session, id: "session", location: nil, expiresAt: time.now + keeping, handled: 0, acknowledged: 0,
        unacknowledged: zip(sent, notes).suffix(unacknowledged).map { SentStanza($0, $1) })
    }
    onEvent(.ended(StreamEnd(.network, "The connection broke."), resumption))
  }

  /// What was noted on all that was sent.
  private var notes: [SentStanza.Notes] = []

  /// Ends the stream.
  func end() { onEvent(.ended(StreamEnd(.cancelled, "closed"), nil)) }

  func setActive(_ isActive: Bool) { activity.append(isActive) }
  func check() { checks += 1 }

  func send(_ stanza: Element, _ notes: SentStanza.Notes) {
    sent.append(stanza)
    self.notes.append(notes)
    defer { onSend() }
    answer(stanza)
  }

  /// Gives the answers that were held back.
  func releaseAnswers() {
    holdsAnswers = false
    let waiting = held
    held.removeAll()
    for stanza in waiting { answer(stanza) }
  }

  private func answer(_ stanza: Element) {
    if holdsAnswers { return held.append(stanza) }
    if let answer = bounces(stanza) { return say(answer) }
    guard !isMute, stanza.name == "iq", let id = stanza.attribute("id"), let payload = stanza.children.first else {
      return
    }
    switch (stanza.attribute("type"), payload.namespace) {
    case ("get", "jabber:iq:roster"):
      let asked = payload.attribute("ver")
      if let rosterVersion, asked == rosterVersion { return say("<iq type='result' id='\(id)'/>") }
      let version = rosterVersion.map { " ver='\($0)'" } ?? ""
      say("<iq type='result' id='\(id)'><query xmlns='jabber:iq:roster'\(version)>\(roster)</query></iq>")
    case ("get", "http://jabber.org/protocol/disco#info")
    where stanza.attribute("to") == "localhost" && answers["localhost"] == nil:
      say(
        """
        <iq type='result' id='\(id)' from='localhost'>\
        <query xmlns='http://jabber.org/protocol/disco#info'>\(disco)</query></iq>
        """)
    case ("set", "urn:xmpp:invisible:0"), ("set", "urn:xmpp:invisible:1"): say("<iq type='result' id='\(id)'/>")
    case ("get", "urn:xmpp:ping"): say("<iq type='result' id='\(id)' from='localhost'/>")
    case ("get", "urn:nightcloak:absent"):
      say(
        """
        <iq type='error' id='\(id)' from='\(stanza.attribute("to") ?? "")'><error type='cancel'>\
        <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        """)
    default:
      if let to = stanza.attribute("to"), let answer = answers[to] {
        say("<iq type='result' id='\(id)' from='\(to)'>\(answer)</iq>")
      }
    }
  }

  /// Delivers a stanza to the account.
  func say(_ xml: String) {
    do {
      var limits = XML.Limits()
      limits.stanzaBytes = 64 << 20
      let element = try Element.parse(xml, namespace: "jabber:client", limits: limits)
      onEvent(.stanza(try Stanza(element), raw: element))
    } catch {
      Issue.record("the scripted server says what is no stanza: \(error): \(xml)")
    }
  }

  /// Takes what was sent since the last time, as text.
  func take() -> [String] {
    defer {
      sent.removeAll()
      notes.removeAll()
    }
    return sent.map { $0.serialized(within: "jabber:client") }
  }
}
