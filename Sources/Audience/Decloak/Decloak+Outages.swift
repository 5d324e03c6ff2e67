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
      + sessions.sorted { $0.address < $1.address }.map { session in
        if case .bare(let contact) = session.address, let ask = asks[contact], !ask.isAnswered {
          .request(contact, ask.reason)
        } else {
          .show(session.address, full: session.full || audience.seesAll(session.address))
        }
      }
  }

  /// Everybody who saw us and may not any more, and has not been told so.
  public func owedFarewells(_ audience: Audience) -> [DecloakEffect] {
    takeBack(from: audience.shownOutside(), audience)
  }
}
