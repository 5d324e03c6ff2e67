// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc
internal import XML

/// Every stanza that passed between the daemon and its server, for all accounts, in order.
@LoopActor
final class Wire {
  /// A stanza that passed.
  struct Passed {
    /// Whose stream it was: the account's local part.
    let account: String
    /// Whether it left the daemon.
    let isOutgoing: Bool
    let stanza: Element

    var isPresence: Bool { stanza.matches("presence", Wire.namespace) }
    var from: String { stanza.attribute("from") ?? "" }
    var to: String { stanza.attribute("to") ?? "" }
    var type: String { stanza.attribute("type") ?? "" }

    /// Whether the sender is an account or one of its resources.
    func isFrom(_ bare: String) -> Bool { from == bare || from.hasPrefix(bare + "/") }
  }

  nonisolated static let namespace = "jabber:client"

  let stanzas = Record<Passed>()
  /// Where stanzas are written down for those who have to find a fault.
  var log: Int32 = -1

  func passed(_ account: String, isOutgoing: Bool, _ stanza: Element) {
    // Nothing of logging in, which would be a password's proof in a file.
    guard stanza.namespace == Self.namespace else { return }
    let line = "\(account) \(isOutgoing ? ">" : "<") \(stanza.serialized(within: Self.namespace))\n"
    _ = line.withCString { write(log, $0, strlen($0)) }
    stanzas.add(Passed(account: account, isOutgoing: isOutgoing, stanza: stanza))
  }
}
