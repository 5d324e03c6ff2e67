// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML
internal import XMPP

/// A privacy list (XEP-0016 §2): rules, of which the first that matches decides.
struct PrivacyList {
  static let namespace = "jabber:iq:privacy"

  /// What a rule can be about. Stanzas that are none of these only match rules that are about everything.
  enum Kind: String, CaseIterable {
    case message
    case iq
    case presenceIn = "presence-in"
    case presenceOut = "presence-out"
    case other
  }

  /// Whom a rule is about.
  private enum Subject: Hashable {
    case address(String)
    case group(String)
    case subscription(Subscription)
    case everybody
  }

  private struct Rule {
    let subject: Subject
    let kinds: [Kind]
    let isDenial: Bool
    let order: UInt32
    let element: Element
  }

  /// The first rule of each kind about each subject: looking up does not cost what the list is long.
  private var first: [Kind: [Subject: (order: UInt32, isDenial: Bool)]] = [:]
  private let rules: [Rule]

  /// Reads a list as a client sends it.
  /// - Parameter groups: those of the account's roster; a rule about another is refused.
  init(_ list: Element, groups: Set<String>, _ limits: LoopbackLimits) throws(StanzaError) {
    let items = list.children.filter { $0.matches("item", Self.namespace) }
    guard items.count <= limits.privacyRules else { throw StanzaError(.resourceConstraint) }
    var rules: [Rule] = []
    for item in items { rules.append(try Self.rule(item, groups)) }
    guard Set(rules.map(\.order)).count == rules.count else { throw StanzaError(.badRequest) }
    rules.sort { $0.order < $1.order }
    self.rules = rules
    for rule in rules {
      for kind in rule.kinds where first[kind]?[rule.subject] == nil {
        first[kind, default: [:]][rule.subject] = (rule.order, rule.isDenial)
      }
    }
  }

  private static func rule(_ item: Element, _ groups: Set<String>) throws(StanzaError) -> Rule {
    guard let action = item.attribute("action"), action == "allow" || action == "deny",
      let order = item.attribute("order").flatMap({ UInt32($0) })
    else { throw StanzaError(.badRequest) }
    let subject: Subject
    switch (item.type, item.attribute("value")) {
    case (nil, _): subject = .everybody
    case ("jid", let value?):
      guard let address = Address(prepared: value) else { throw StanzaError(.jidMalformed) }
      subject = .address(address.description)
    case ("group", let value?):
      guard groups.contains(value) else { throw StanzaError(.itemNotFound) }
      subject = .group(value)
    case ("subscription", let value?):
      guard let subscription = Subscription(rawValue: value) else { throw StanzaError(.badRequest) }
      subject = .subscription(subscription)
    default: throw StanzaError(.badRequest)
    }
    var kinds: [Kind] = []
    for child in item.children where child.namespace == namespace {
      guard let kind = Kind(rawValue: child.name), kind != .other else { throw StanzaError(.badRequest) }
      kinds.append(kind)
    }
    return Rule(
      subject: subject, kinds: kinds.isEmpty ? Kind.allCases : kinds, isDenial: action == "deny", order: order,
      element: item)
  }

  /// Whether there is no rule, which is how a client removes a list.
  var isEmpty: Bool { rules.isEmpty }

  /// The rules as they were sent, in their order.
  var elements: [Element] { rules.map(\.element) }

  /// Whether the list forbids a kind of stanza from or to somebody.
  /// - Parameter item: that somebody in the roster.
  func denies(_ kind: Kind, _ peer: Address, _ item: RosterBook.Item?) -> Bool {
    guard let first = first[kind] else { return false }
    var best: (order: UInt32, isDenial: Bool)?
    func look(_ subject: Subject) {
      guard let rule = first[subject] else { return }
      if let present = best, present.order < rule.order { return }
      best = rule
    }
    for address in peer.covering { look(.address(address)) }
    for group in item?.groups ?? [] { look(.group(group)) }
    look(.subscription(item?.subscription ?? .none))
    look(.everybody)
    return best?.isDenial ?? false
  }
}

extension Address {
  /// The texts of the addresses that include this one, itself first (XEP-0016 §2.1; XEP-0191 §5).
  var covering: [String] {
    let domain = String(account.domain)
    var result = [description]
    if resource != nil { result.append(account.text) }
    if account.text != domain { result.append(domain) }
    return result
  }
}

/// The privacy lists of an account.
struct PrivacyLists {
  var lists: [String: PrivacyList] = [:]
  /// The one that holds for sessions that have none of their own, and while there are no sessions.
  var defaultName: String?
}
