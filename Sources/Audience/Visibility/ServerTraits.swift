// SPDX-License-Identifier: Apache-2.0

/// What was measured of a kind of server: where it tells of us by itself whatever we do.
public struct ServerTraits: Hashable, Sendable {
  /// What kind it is, as it says (the name of its disco identity); `nil` for one that nobody has measured.
  let name: String?

  /// The traits of a server.
  /// - Parameter named: what it calls itself.
  public init(named name: String?) { self.name = name }

  /// In what it falls short under a mechanism. A server that nobody has measured is taken for all of them at once.
  public func degradations(of mechanism: Mechanism) -> Set<Degradation> {
    guard mechanism != .none else { return [] }
    if let name, let row = Self.measured[name] { return row(mechanism) }
    return Self.measured.values.reduce(into: []) { $0.formUnion($1(mechanism)) }
  }

  /// One row for each kind of server, by what it calls itself unless somebody has named it otherwise.
  private static let measured: [String: @Sendable (Mechanism) -> Set<Degradation>] = [
    "Prosody": { mechanism in
      // What a lost session had not acknowledged it sends back in that session's name. Its list module hides our probes
      // together with the rest, and the end of a session only after a withdrawal.
      let always: Set<Degradation> = [.uncleanCloseShowsUnavailable]
      return mechanism == .privacyList ? always.union([.noContactPresence]) : always
    },
    "ejabberd": { _ in
      // Its capabilities module asks in our name whoever is new to it. Contacts it tells, under an active list as well, that
      // we were active just now, and our resource; and to the full JID it answers `jabber:iq:last` by itself.
      [.serverAnswersFullJID, .serverAsksStrangers, .serverTellsLastActivity, .serverListsResource]
    },
    "Jabber IM server": { mechanism in
      // jabberd2. It tells every contact that a session ended, whether or not it had shown itself.
      let always: Set<Degradation> = [.serverAnswersFullJID]
      return mechanism == .directed ? always.union([.uncleanCloseShowsUnavailable]) : always
    },
    // Ours: it keeps to the specification, and all of it is tested.
    "nightcloak-loopback": { _ in [] },
  ]
}
