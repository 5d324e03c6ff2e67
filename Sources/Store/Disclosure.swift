// SPDX-License-Identifier: Apache-2.0

/// Somebody who was shown a session of ours and has not been told that it ended. After a crash it is what is left to
/// clean up.
public struct Disclosure: Hashable, Sendable {
  /// The resource that was shown.
  public let resource: String
  /// Who was shown it, a bare or a full JID.
  public let jid: String

  /// Describes a disclosure.
  public init(resource: String, jid: String) {
    self.resource = resource
    self.jid = jid
  }
}
