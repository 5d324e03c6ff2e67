// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

// Privacy lists on the wire (XEP-0016 §2.1).

/// A rule that cannot be read, and so cannot be kept to.
struct UnreadablePrivacyRule: Error {
  /// What is wrong with it, for a person.
  let text: String
}

extension PrivacyRule {
  /// Reads an `<item/>`.
  /// - Throws: ``UnreadablePrivacyRule`` for anything that the specification does not know: a rule that is half understood
  ///   would let through what it was made to stop.
  init(_ element: Element) throws(UnreadablePrivacyRule) {
    var kinds: Set<Kind> = []
    for child in element.children {
      guard child.namespace == PrivacyLists.namespace, let kind = Kind(rawValue: child.name) else {
        throw UnreadablePrivacyRule(text: "it speaks of stanzas of an unknown kind")
      }
      kinds.insert(kind)
    }
    let subject = try Self.subject(element.attribute("type"), element.attribute("value") ?? "")
    switch element.attribute("action") {
    case "allow": self.init(subject, kinds, allows: true)
    case "deny": self.init(subject, kinds, allows: false)
    default: throw UnreadablePrivacyRule(text: "it neither allows nor denies")
    }
  }

  private static func subject(_ type: String?, _ value: String) throws(UnreadablePrivacyRule) -> Subject {
    switch type {
    case nil: return .everybody
    case "jid":
      guard let jid = try? JID(value) else { throw UnreadablePrivacyRule(text: "it names what is no JID") }
      return .jid(Address(jid))
    case "group":
      guard !value.isEmpty else { throw UnreadablePrivacyRule(text: "it names no group") }
      return .group(value)
    case "subscription":
      guard let subscription = PrivacyContact.Subscription(rawValue: value) else {
        throw UnreadablePrivacyRule(text: "it names an unknown subscription")
      }
      return .subscription(subscription)
    default: throw UnreadablePrivacyRule(text: "it speaks of an unknown type")
    }
  }

  /// The `<item/>` in a place of its list.
  fileprivate func element(order: Int) -> Element {
    let (type, value): (String?, String?) =
      switch subject {
      case .everybody: (nil, nil)
      case .jid(let jid): ("jid", jid.description)
      case .group(let group): ("group", group)
      case .subscription(let subscription): ("subscription", subscription.rawValue)
      }
    let named = kinds.count == Kind.allCases.count ? [] : Kind.allCases.filter(kinds.contains)
    return Element(
      "item", PrivacyLists.namespace,
      ["type": type, "value": value, "action": allows ? "allow" : "deny", "order": String(order)],
      children: named.map { Element($0.rawValue, PrivacyLists.namespace) })
  }
}

extension PrivacyList {
  /// Reads a `<list/>`.
  /// - Throws: ``UnreadablePrivacyRule``.
  init(_ element: Element) throws(UnreadablePrivacyRule) {
    var rules: [(order: UInt32, rule: PrivacyRule)] = []
    for item in element.children where item.matches("item", PrivacyLists.namespace) {
      guard let order = item.attribute("order").flatMap({ UInt32($0) }) else {
        throw UnreadablePrivacyRule(text: "it has no place in the order")
      }
      rules.append((order, try PrivacyRule(item)))
    }
    self.init(rules.sorted { $0.order < $1.order }.map(\.rule))
  }

  /// The question that sets the list. It carries the whole of it, as the protocol wants: a change costs what there is,
  /// not what changes.
  func query(named name: String) -> Element {
    Element(
      "query", PrivacyLists.namespace,
      children: [
        Element(
          "list", PrivacyLists.namespace, ["name": name],
          children: rules.enumerated().map { $1.element(order: $0 + 1) })
      ])
  }
}
