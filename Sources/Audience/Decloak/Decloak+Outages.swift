// SPDX-License-Identifier: Apache-2.0

// What is owed to others when a stream comes back. Nothing is sent again as it was: what is true by then is said anew.

extension Decloak {
  /// The stream was lost and the session on it goes on (XEP-0198 §5).
  /// - Parameters:
  ///   - unconfirmed: who was sent presence that may not have arrived.
  ///   - hasNewPresence: whether what we do has changed meanwhile.
  public func resumed(
    unconfirmed: Set<Address>, hasNewPresence: Bool, audience: Audience
  ) -> [DecloakEffect] {
    let sessions = audience.sessions.values.filter { session in
      unconfirmed.contains(session.address) || (hasNewPresence && session.full)
    }
    return owedFarewells(audience)
      + sessions.sorted { $0.address < $1.address }.flatMap { session -> [DecloakEffect] in
        let shows = DecloakEffect.show(session.address, full: session.full || audience.seesAll(session.address))
        guard case .bare(let contact) = session.address, let ask = asks[contact], !ask.isAnswered else {
          return [shows]
        }
        // A request says no more than that we are there: what was shared besides is said behind it.
        return [.request(contact, ask.reason)] + (session.full ? [shows] : [])
      }
  }

  /// Everybody who saw us and may not any more, and has not been told so.
  public func owedFarewells(_ audience: Audience) -> [DecloakEffect] {
    takeBack(from: audience.shownOutside(), audience)
  }
}
