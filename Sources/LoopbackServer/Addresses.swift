// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XMPP

// Between the prepared JIDs of the wire and the plain ones that the rules are about.

extension BareAddress {
  init(_ jid: BareJID) { self.init(jid.description) }
}

extension FullAddress {
  init(_ jid: FullJID) { self.init(BareAddress(jid.bare), resource: jid.resource) }
}

extension Address {
  init(_ jid: JID) {
    if let resource = jid.resource {
      self = .full(FullAddress(BareAddress(jid.bare), resource: resource))
    } else {
      self = .bare(BareAddress(jid.bare))
    }
  }

  /// The resource, where there is one.
  var resource: String? { if case .full(let full) = self { full.resource } else { nil } }

  /// Prepares the text of an address; nil where it is none.
  init?(prepared text: String) {
    guard let jid = try? JID(text) else { return nil }
    self.init(jid)
  }
}
