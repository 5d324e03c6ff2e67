// SPDX-License-Identifier: Apache-2.0

public import Audience
public import XMPP

// Between the prepared JIDs of the wire and the plain ones of the pure core.

extension BareAddress {
  /// The account of a prepared JID.
  public init(_ jid: BareJID) { self.init(jid.description) }
}

extension FullAddress {
  /// The resource of a prepared JID.
  public init(_ jid: FullJID) { self.init(BareAddress(jid.bare), resource: jid.resource) }
}

extension Address {
  /// A prepared JID of either kind.
  public init(_ jid: JID) {
    if let resource = jid.resource {
      self = .full(FullAddress(BareAddress(jid.bare), resource: resource))
    } else {
      self = .bare(BareAddress(jid.bare))
    }
  }

  /// The JID; `nil` only for an address that was not made from one.
  package var jid: JID? { try? JID(description) }
}

extension BareAddress {
  /// The JID; `nil` only for an address that was not made from one.
  package var jid: JID? { try? JID(text) }
}
