// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import XML
internal import XMPP

/// Looks for a user of the parent domain that there is not, and whose answers come to us. Where others serve our domain,
/// too, the server divides what is for it by the sender, and so what most of them would answer is told to the others.
struct AbsentUserSearch {
  private let own: JID
  private let users: [BareJID]
  private let id = RandomName.make()

  /// How many are asked: of eight programs one gets no answer once in 5,000 times.
  static let most = 64

  /// - Parameters:
  ///   - own: an address of ours that nobody else has heard of.
  ///   - parent: where our server has its users.
  ///   - isShared: whether others serve our domain, too; else the first user will do.
  init?(from own: JID, parent: String, isShared: Bool) {
    users = (0..<(isShared ? Self.most : 1)).compactMap { _ in try? BareJID("\(RandomName.make())@\(parent)") }
    guard !users.isEmpty else { return nil }
    self.own = own
  }

  /// Somebody who will do without being looked for.
  var found: BareJID? { users.count == 1 ? users.first : nil }

  /// The questions, one to each.
  var questions: [Element] {
    users.map { user in
      var iq = IQ(.get, to: JID(user), id: id, payload: [AbsentProbe.payload])
      iq.from = own
      return Stanza.iq(iq).element
    }
  }

  /// Notes a stanza that has come for who asks.
  /// - Returns: whose answers come to us.
  func note(_ raw: Element) -> BareJID? {
    guard raw.attribute("id") == id, let from = raw.attribute("from") else { return nil }
    return users.first { $0.description == from }
  }
}
