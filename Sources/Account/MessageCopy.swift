// SPDX-License-Identifier: Apache-2.0

internal import XML
internal import XMPP

/// A copy of a message that another device of ours sent or was given (XEP-0280).
struct MessageCopy {
  private static let namespace = "urn:xmpp:carbons:2"

  /// What was copied; `nil` where it cannot be read.
  let message: Message?

  /// `nil` where a message is no copy.
  init?(_ message: Message) {
    guard
      let copy = message.payload.first(where: {
        $0.namespace == Self.namespace && ($0.name == "received" || $0.name == "sent")
      })
    else { return nil }
    let original = copy.child("forwarded", "urn:xmpp:forward:0")?.child("message", StanzaPayload.namespace)
    self.message = original.flatMap { try? Message($0) }
  }
}
