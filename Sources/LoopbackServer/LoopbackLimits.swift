// SPDX-License-Identifier: Apache-2.0

/// What the clients of the embedded server may make it hold. What is beyond is refused with `resource-constraint`.
public struct LoopbackLimits: Sendable, Hashable {
  /// Contacts of one account.
  public var contacts = 100_000
  /// Groups of one contact.
  public var groupsPerContact = 64
  /// Bytes of a name: of a contact, a group or a privacy list.
  public var nameBytes = 1024
  /// Subscription requests that wait for an account's answer. More are forgotten.
  public var subscriptionRequests = 256
  /// Addresses that one session may have shown itself to by directed presence.
  public var directedPresences = 4096
  /// Messages that wait for an account to come online.
  public var offlineMessages = 256
  /// Bytes of them.
  public var offlineBytes = 1024 * 1024
  /// Privacy lists of one account.
  public var privacyLists = 16
  /// Rules of one privacy list.
  public var privacyRules = 16_384
  /// Addresses that one account blocks.
  public var blockedAddresses = 4096
  /// Bytes of an account's visiting card.
  public var cardBytes = 64 * 1024

  /// The limits of a small server.
  public init() {}
}
