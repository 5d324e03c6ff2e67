// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import XML

/// A client's session, as the rules see it.
struct ClientSession {
  let address: FullAddress
  /// The last undirected presence without a type; nil where there is none, or it was taken back.
  var presence: Element?
  /// Whether it gets the presence of others, and messages to the account: others may see it, or it hides from them.
  var isAvailable = false
  /// Which of several sessions gets messages to the account (RFC 6121 §4.7.2.3); none with a negative one.
  var priority: Int8 = 0
  /// Who sees what of it.
  var forwarding = PresenceForwarding()
  /// Whether it has asked for the roster, and so is told of changes.
  var wantsRoster = false
  /// Whether it has asked for what is blocked, and so is told of changes.
  var wantsBlocks = false
  /// The privacy list that holds for it alone.
  var activeList: String?

  init(_ address: FullAddress) { self.address = address }

  /// Whether it gets messages to the account.
  var takesMessages: Bool { isAvailable && priority >= 0 }
}
