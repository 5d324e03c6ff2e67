// SPDX-License-Identifier: Apache-2.0

/// Whose things are kept: an account of one user of the machine.
public struct AccountKey: Hashable, Sendable {
  /// The user, as the bus's credentials have it.
  public let uid: UInt32
  /// The prepared bare JID.
  public let jid: String
  /// How the account is reached, as `xmpp`.
  public let `protocol`: String

  /// Names an account.
  /// - Parameters:
  ///   - uid: the user, as the bus's credentials have it.
  ///   - jid: the prepared bare JID: two spellings of one address would be two accounts.
  ///   - protocol: how the account is reached.
  public init(uid: UInt32, jid: String, protocol: String) {
    self.uid = uid
    self.jid = jid
    self.protocol = `protocol`
  }
}
