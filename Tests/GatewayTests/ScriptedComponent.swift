// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XML
import XMPP

/// A server of components without a network: keeps all that was sent, and says what a test tells it to say.
@LoopActor
final class ScriptedComponent: ComponentStanzaStream {
  var onEvent: @LoopActor (ComponentEvent) -> Void = { _ in }
  let configuration: ComponentConfiguration
  /// All that left the gateway, in order.
  private(set) var sent: [Element] = []
  private(set) var isClosed = false
  private(set) var checks = 0
  /// Whether nothing is said when the stream is opened.
  var isMute = false
  /// How the stream ends instead of coming up.
  var refusal: StreamEnd?
  /// Answers for the users of the parent domain, of whom there are none: what is inside the error.
  var absence: String? = "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
  /// Called with each stanza that arrives here; an answer is given before anything else is looked at.
  var onSend: @LoopActor (Element) -> String? = { _ in nil }

  init(_ configuration: ComponentConfiguration) { self.configuration = configuration }

  func open() {
    if let refusal { return onEvent(.ended(refusal)) }
    guard !isMute else { return }
    onEvent(.ready(Security(tls: nil, mechanism: "handshake", channelBinding: nil)))
  }

  func send(_ element: Element) {
    if let answer = onSend(element) { return say(answer) }
    let parent = configuration.domain.split(separator: ".").dropFirst().joined(separator: ".")
    guard let to = element.attribute("to"), element.isAbsenceProbe else { return sent.append(element) }
    guard let absence, to.contains("@\(parent)"), element.attribute("type") != "result" else { return }
    let (from, id) = (element.attribute("from") ?? "", element.attribute("id") ?? "")
    say(
      "<\(element.name) type='error' from='\(to)' to='\(from)' id='\(id)'><error type='cancel'>\(absence)</error></\(element.name)>"
    )
  }

  func check() { checks += 1 }

  func close() {
    isClosed = true
    end()
  }

  /// Ends the stream.
  func end() { onEvent(.ended(StreamEnd(.cancelled, "closed"))) }

  /// The connection breaks.
  func cut() { onEvent(.ended(StreamEnd(.network, "The connection broke."))) }

  /// Delivers a stanza to the gateway.
  func say(_ xml: String) {
    do {
      let element = try Element.parse(xml, namespace: "jabber:client")
      onEvent(.stanza(try Stanza(element), raw: element))
    } catch {
      Issue.record("the scripted server says what is no stanza: \(error): \(xml)")
    }
  }

  /// Takes what was sent since the last time, as text.
  func take() -> [String] {
    defer { sent.removeAll() }
    return sent.map { $0.serialized(within: "jabber:client") }
  }
}

extension Element {
  fileprivate var isAbsenceProbe: Bool { children.contains { $0.namespace == "urn:nightcloak:absent" } }
}
