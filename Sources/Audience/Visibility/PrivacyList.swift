// SPDX-License-Identifier: Apache-2.0

/// A privacy list (XEP-0016): the first rule that speaks of a stanza decides about it; what no rule speaks of passes.
public struct PrivacyList: Hashable, Sendable {
  /// Contacts that one list can name. Beyond it, the stanza that sets a list comes near to what servers refuse with the
  /// end of the stream (256 KiB on Prosody and ejabberd).
  public static let mostContacts = 1000
  /// Bytes of the element that sets a list, at most.
  public static let mostBytes = 128 << 10

  /// The rules, in their order.
  public let rules: [PrivacyRule]
  // Where the rules about an account or a domain stand, so that a list of a thousand is not walked through for each
  // stanza; and where all others do.
  private let places: [BareAddress: [Int]]
  private let placesOfOthers: [Int]

  /// A list of these rules.
  public init(_ rules: [PrivacyRule]) {
    self.rules = rules
    var places: [BareAddress: [Int]] = [:]
    var others: [Int] = []
    for (place, rule) in rules.enumerated() {
      if case .jid(let jid) = rule.subject {
        places[jid.account, default: []].append(place)
      } else {
        others.append(place)
      }
    }
    self.places = places
    placesOfOthers = others
  }

  /// The list that makes a server keep to a visibility.
  ///
  /// Our rules speak of outgoing presence alone and come first. Behind them stand those that were in force before,
  /// unchanged: what they keep from coming in stays out, and whom they keep our presence from is not shown it because we
  /// show ourselves. Only whom a person let in by name, one stanza at a time, gets past them.
  /// - Parameters:
  ///   - visibility: which contacts may see us.
  ///   - admitted: who is let through for the moment: a whole account, or one of its resources.
  ///   - kept: the rules that were in force before ours.
  ///   - contact: what the roster says of somebody.
  public init(
    keepingTo visibility: Visibility, admitting admitted: Set<Address>, before kept: [PrivacyRule],
    contact: (BareAddress) -> PrivacyContact
  ) {
    let earlier = PrivacyList(kept)
    var rules = admitted.sorted().map { PrivacyRule(.jid($0), [.presenceOut], allows: true) }
    for exception in visibility.exceptions.sorted() {
      let address = Address.bare(exception)
      guard visibility.showsOthers || earlier.passes(.presenceOut, address, contact(exception)) else { continue }
      rules.append(PrivacyRule(.jid(address), [.presenceOut], allows: !visibility.showsOthers))
    }
    if !visibility.showsOthers { rules.append(PrivacyRule(.everybody, [.presenceOut], allows: false)) }
    rules += kept
    // To set a list of no rules means to remove it.
    self.init(rules.isEmpty ? [PrivacyRule(.everybody, allows: true)] : rules)
  }

  /// Whether a stanza of a kind, from or to `address`, passes.
  public func passes(_ kind: PrivacyRule.Kind, _ address: Address, _ contact: PrivacyContact) -> Bool {
    let account = address.account
    let server = BareAddress(String(account.domain))
    var candidates = placesOfOthers + (places[account] ?? [])
    if server != account { candidates += places[server] ?? [] }
    let first = candidates.filter { rules[$0].applies(to: kind, address, contact) }.min()
    return first.map { rules[$0].allows } ?? true
  }

  /// Two lists are equal when their rules are.
  public static func == (left: PrivacyList, right: PrivacyList) -> Bool { left.rules == right.rules }

  /// Hashes the rules.
  public func hash(into hasher: inout Hasher) { hasher.combine(rules) }
}
