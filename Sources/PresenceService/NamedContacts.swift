// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import Store
internal import XMPP

/// Whom a call names, as `Visibility.Contacts` writes it: bare JIDs, groups of the roster as `group:NAME`, and as
/// `not:JID` contacts for whom their groups do not count. No JID begins so: a colon cannot stand in front of an `@`, nor
/// in a domain.
struct NamedContacts: Equatable {
  static let groupMark = "group:"
  static let withheldMark = "not:"

  private(set) var contacts: Set<BareJID> = []
  private(set) var groups: Set<String> = []
  private(set) var withheld: Set<BareJID> = []

  var isEmpty: Bool { contacts.isEmpty && groups.isEmpty && withheld.isEmpty }

  /// Reads what a call names.
  /// - Parameters:
  ///   - texts: its `contacts`.
  ///   - account: whose call it is; it always sees itself.
  ///   - what: how the argument is called in errors.
  /// - Throws: ``AccountError``, which names the text that cannot be read.
  init(_ texts: [String], of account: BareJID, _ what: String = "contacts") throws(AccountError) {
    let most = StoredVisibility.mostContacts + StoredVisibility.mostGroups
    guard texts.count <= most else {
      throw AccountError(.limitExceeded, "\(what) has \(texts.count) entries, but \(most) are the most.")
    }
    for text in texts {
      if text.hasPrefix(Self.groupMark) {
        groups.insert(try Self.group(text.dropFirst(Self.groupMark.count), what))
      } else if text.hasPrefix(Self.withheldMark) {
        withheld.insert(try Self.contact(text.dropFirst(Self.withheldMark.count), of: account, what))
      } else {
        contacts.insert(try Self.contact(text[...], of: account, what))
      }
    }
    if let both = contacts.intersection(withheld).min() {
      throw AccountError(
        .invalidArgument, "\(what) has both \"\(both)\" and \"\(Self.withheldMark)\(both)\": leave one of them out.")
    }
  }

  private static func group(_ name: Substring, _ what: String) throws(AccountError) -> String {
    guard !name.isEmpty else {
      throw AccountError(
        .invalidArgument, "\(what) has \"\(groupMark)\" without a name: write \"\(groupMark)Friends\".")
    }
    guard name.utf8.count <= StoredVisibility.mostGroupBytes else {
      throw AccountError(
        .limitExceeded,
        "\(what) names a group of \(name.utf8.count) bytes, but \(StoredVisibility.mostGroupBytes) are the most: "
          + "\"\(name.prefix(40))…\".")
    }
    return String(name)
  }

  private static func contact(_ text: Substring, of account: BareJID, _ what: String) throws(AccountError) -> BareJID {
    let jid = try anyJID(String(text), "\(what):")
    guard jid.isBare else {
      throw AccountError(
        .invalidJID,
        "\(what): \"\(text.prefix(100))\" must be a bare JID, as \(jid.bare), without what follows the \"/\"."
      )
    }
    guard jid.bare != account else {
      throw AccountError(
        .invalidArgument, "\(what) names \(account), which is this account itself: it sees itself anyway.")
    }
    guard account.localpart != nil || jid.bare.domain != account.domain else {
      throw AccountError(
        .invalidArgument,
        "\(what) names \(jid.bare), which is an address of this gateway: contacts are those who see its addresses. To "
          + "hide one of these make the rule \"to:\(jid.bare)\" with SetRule.")
    }
    return jid.bare
  }

  /// Refuses contacts that are kept out of a group where single ones are shown or hidden: there the bare JID says it.
  /// - Throws: ``AccountError`` `invalidArgument`.
  func requireNoneWithheld() throws(AccountError) {
    guard let jid = withheld.min() else { return }
    throw AccountError(
      .invalidArgument,
      "\"\(Self.withheldMark)\(jid)\" belongs to SetVisibility: give \"\(jid)\" itself to ShowTo or HideFrom, which "
        + "goes before the contact's groups.")
  }

  /// Refuses groups where there is no roster that has them.
  /// - Throws: ``AccountError`` `invalidArgument`.
  func requireNoGroups(_ what: String = "contacts") throws(AccountError) {
    guard let mark = groups.isEmpty ? (withheld.isEmpty ? nil : Self.withheldMark) : Self.groupMark else { return }
    throw AccountError(
      .invalidArgument, "\(what) has \"\(mark)\", but a gateway has no roster, and so no groups: name bare JIDs.")
  }
}

extension VisibilityWish {
  /// What a mode and its exceptions come to. "except" and "only" without any are "visible" and "invisible".
  /// - Throws: ``AccountError`` `invalidArgument` where they do not go together.
  init(
    _ mode: Mode, _ named: NamedContacts, probes: Bool = true, acceptsLess: Bool = false
  ) throws(AccountError) {
    guard named.isEmpty || mode == .except || mode == .only else {
      throw AccountError(
        .invalidArgument, "\"\(mode.rawValue)\" takes no contacts: they belong to \"except\" and \"only\".")
    }
    if named.groups.isEmpty, let jid = named.withheld.min() {
      throw AccountError(
        .invalidArgument,
        "contacts has \"\(NamedContacts.withheldMark)\(jid)\", but no group that \(jid) could be kept out of.")
    }
    self.init(
      showsOthers: mode == .visible || mode == .except, contacts: ContactSet(named.contacts.map { BareAddress($0) }),
      groups: named.groups, withheld: ContactSet(named.withheld.map { BareAddress($0) }), probes: probes,
      acceptsLess: acceptsLess)
  }

  /// The exceptions as `Visibility.Contacts` has them, sorted.
  var contactTexts: [String] {
    (contacts.map(\.text) + groups.map { NamedContacts.groupMark + $0 }
      + withheld.map { NamedContacts.withheldMark + $0.text }).sorted()
  }
}
