// SPDX-License-Identifier: Apache-2.0

import LoopbackServer
import XML
import XMPP

/// A domain, `foo.com`, and some of its clients by short names: `joe/desk` is `joe@foo.com/desk`.
struct Scene {
  /// What somebody got, in few words: `joe/desk` for his presence, `joe/desk xa`, `joe/desk unavailable`, `joe subscribe`;
  /// other stanzas as they are.
  typealias Seen = [String: [String]]

  var domain: LoopbackDomain
  private var ids: [String: SessionID] = [:]
  private var names: [SessionID: String] = [:]
  private(set) var last: [(name: String, stanza: Element)] = []

  /// - Parameters:
  ///   - rosters: what each account's contacts are, as `rynok` or `rynok:to` for a subscription other than both.
  init(
    _ rosters: KeyValuePairs<String, [String]>, features: LoopbackFeatures = LoopbackFeatures(),
    components: [String] = [], _ change: (inout LoopbackConfiguration) -> Void = { _ in }
  ) throws {
    var configuration = LoopbackConfiguration()
    configuration.domain = "foo.com"
    configuration.features = features
    configuration.components = components.map { LoopbackComponent(domain: $0, secret: "secret") }
    configuration.users = try rosters.map { name, contacts in
      LoopbackUser(
        try BareJID("\(name)@foo.com"), password: "secret",
        roster: try contacts.map { contact in
          let parts = contact.split(separator: ":").map(String.init)
          return LoopbackContact(
            try BareJID(Self.full(parts[0])), groups: parts.count > 2 ? [parts[2]] : [],
            subscription: parts.count > 1 ? Subscription(rawValue: parts[1]) ?? .none : .both)
        })
    }
    change(&configuration)
    domain = LoopbackDomain(configuration, run: "run", now: 1_000_000)
  }

  /// `joe/desk` → `joe@foo.com/desk`; what has a dot stays as it is.
  static func full(_ name: String) -> String {
    if name.contains(".") { return name }
    guard let slash = name.firstIndex(of: "/") else { return name + "@foo.com" }
    return name[..<slash] + "@foo.com" + name[slash...]
  }

  private static func short(_ text: String) -> String {
    guard let at = text.firstIndex(of: "@"), text[at...].hasPrefix("@foo.com") else { return text }
    return String(text[..<at] + text[at...].dropFirst("@foo.com".count))
  }

  /// Begins sessions, and sends their first presence.
  @discardableResult
  mutating func online(_ names: String..., presence: String = "<presence/>") throws -> Seen {
    var seen: Seen = [:]
    for name in names {
      try bind(name)
      seen = try say(name, presence)
    }
    return seen
  }

  mutating func bind(_ name: String) throws {
    let id = SessionID(UInt64(names.count + 1))
    (ids[name], names[id]) = (id, name)
    _ = take(domain.bound(try FullJID(Self.full(name)), at: id))
  }

  mutating func component(_ name: String) {
    let id = SessionID(UInt64(names.count + 1))
    (ids[name], names[id]) = (id, name)
    _ = take(domain.componentBound(name, at: id))
  }

  /// Says something, with `{joe}` for `joe@foo.com`.
  @discardableResult
  mutating func say(_ name: String, _ text: String) throws -> Seen {
    let full = text.split(separator: "{", omittingEmptySubsequences: false).enumerated().map { index, part in
      guard index > 0, let end = part.firstIndex(of: "}") else { return String(part) }
      return Self.full(String(part[..<end])) + part[part.index(after: end)...]
    }.joined()
    guard let id = ids[name] else { return [:] }
    return take(domain.received(try Element.parse(full, namespace: "jabber:client"), from: id))
  }

  @discardableResult
  mutating func end(_ name: String, unacknowledged: [Element] = []) -> Seen {
    guard let id = ids.removeValue(forKey: name) else { return [:] }
    return take(domain.ended(id, unacknowledged: unacknowledged))
  }

  /// Asks the server, or somebody else, and returns the answer's payload or its error.
  mutating func ask(_ name: String, to: String? = nil, _ payload: String, type: String = "get") throws -> String {
    try say(name, "<iq type='\(type)' id='q'\(to.map { " to='\(Self.full($0))'" } ?? "")>\(payload)</iq>")
    guard let answer = last.last(where: { $0.name == name && $0.stanza.attribute("id") == "q" })?.stanza else {
      return "nothing"
    }
    if answer.attribute("type") == "error" { return Self.error(answer) }
    return answer.children.first?.serialized(within: "jabber:client") ?? "result"
  }

  private mutating func take(_ deliveries: [Delivery]) -> Seen {
    last = deliveries.compactMap { delivery in names[delivery.to].map { ($0, delivery.stanza) } }
    var seen: Seen = [:]
    for (name, stanza) in last { seen[name, default: []].append(Self.describe(stanza)) }
    return seen
  }

  static func error(_ stanza: Element) -> String {
    let error = stanza.child("error", "jabber:client")
    let condition = error?.children.first?.name ?? "?"
    return "\(error?.attribute("type") ?? "?") \(condition)"
  }

  private static func describe(_ stanza: Element) -> String {
    let from = stanza.attribute("from").map(short)
    let type = stanza.attribute("type")
    if type == "error" { return "\(stanza.name) error \(error(stanza))" }
    switch stanza.name {
    case "presence":
      let show = stanza.child("show", "jabber:client")?.text
      return [from, type, show].compactMap { $0 }.joined(separator: " ")
    case "message":
      return [from, stanza.child("body", "jabber:client")?.text].compactMap { $0 }.joined(separator: ": ")
    default: return [type, stanza.children.first?.name].compactMap { $0 }.joined(separator: " ")
    }
  }
}
