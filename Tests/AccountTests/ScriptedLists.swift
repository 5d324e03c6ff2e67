// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XML
import XMPP

/// The privacy lists of an account at scripted servers, which keep them from one stream to the next.
@LoopActor
final class ScriptedLists {
  /// The lists by name: what is inside each.
  var lists: [String: String] = [:]
  /// The name of the default list.
  var standard: String?
  /// The name of the active list of the present session.
  private(set) var active: String?
  /// What was asked since the last ``take()``, in short.
  private var log: [String] = []
  /// Conditions with which questions are refused, by the element asked for ("list", "active"); each serves once.
  var refusals: [String: String] = [:]
  /// Whether the server tells of each edit, as all but jabberd2 do.
  var pushes = true
  private weak var server: ScriptedServer?

  nonisolated init() {}

  /// Makes a server have them.
  func attach(to server: ScriptedServer) {
    self.server = server
    if server.resumption == nil { active = nil }
    server.disco = "<identity category='server' type='im' name='Prosody'/><feature var='jabber:iq:privacy'/>"
    server.bounces = { [weak self] stanza in self?.answer(stanza) }
  }

  /// Takes what was asked since the last time, and the presence that was sent between.
  func take() -> [String] {
    defer { log.removeAll() }
    return log
  }

  /// Another client edits a list.
  func edit(_ name: String, _ items: String?) throws {
    lists[name] = items
    try push(name)
  }

  /// Tells that a list was changed.
  func push(_ name: String, from: String? = nil) throws {
    let sender = from.map { " from='\($0)'" } ?? ""
    try #require(server).say(
      "<iq type='set' id='push1'\(sender)><query xmlns='jabber:iq:privacy'><list name='\(name)'/></query></iq>")
  }

  private func answer(_ stanza: Element) -> String? {
    if stanza.name == "presence" { log.append(stanza.serialized(within: "jabber:client")) }
    guard let id = stanza.attribute("id"), let query = stanza.child("query", "jabber:iq:privacy") else { return nil }
    let child = query.children.first
    let name = child?.attribute("name")
    log.append("\(stanza.attribute("type") ?? "") \(child?.name ?? "names") \(name ?? "")")
    if let condition = refusals.removeValue(forKey: child?.name ?? "names") { return refusal(id, condition) }
    guard stanza.attribute("type") == "set" else { return got(id, name) }
    switch (child?.name, name) {
    case ("active", let name):
      if let name, lists[name] == nil { return refusal(id, "item-not-found") }
      active = name
    case ("list", let name?):
      let items = child?.children ?? []
      lists[name] = items.isEmpty ? nil : items.map { $0.serialized(within: "jabber:iq:privacy") }.joined()
      if !items.isEmpty { log[log.count - 1] += ": " + items.map(Self.short).joined(separator: ", ") }
      if pushes, !items.isEmpty { try? push(name) }
    default: return refusal(id, "bad-request")
    }
    return "<iq type='result' id='\(id)'/>"
  }

  private func got(_ id: String, _ name: String?) -> String {
    let content: String
    if let name {
      guard let items = lists[name] else { return refusal(id, "item-not-found") }
      content = "<list name='\(name)'>\(items)</list>"
    } else {
      content =
        (active.map { "<active name='\($0)'/>" } ?? "") + (standard.map { "<default name='\($0)'/>" } ?? "")
        + lists.keys.sorted().map { "<list name='\($0)'/>" }.joined()
    }
    return "<iq type='result' id='\(id)'><query xmlns='jabber:iq:privacy'>\(content)</query></iq>"
  }

  private func refusal(_ id: String, _ condition: String) -> String {
    "<iq type='error' id='\(id)'><error type='cancel'><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
  }

  /// An item as the tests write it: its action, whom, and of what.
  private static func short(_ item: Element) -> String {
    let whom = [item.attribute("type"), item.attribute("value")].compactMap { $0 }.joined(separator: ":")
    let kinds = item.children.map(\.name).joined(separator: "+")
    return [item.attribute("action") ?? "?", whom, kinds].filter { !$0.isEmpty }.joined(separator: " ")
  }
}
