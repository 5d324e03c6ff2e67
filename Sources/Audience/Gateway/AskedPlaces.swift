// SPDX-License-Identifier: Apache-2.0

/// The places of requests that wait for a person. Where the asker takes its request back, or leaves, the place stays
/// taken until the request would have expired: otherwise whoever watches would be told of as many as come and go.
struct AskedPlaces: Sendable {
  private struct Place {
    let contact: BareAddress
    let until: Instant
    var isWithdrawn = false
  }

  private var places: [String: Place] = [:]
  private var contacts: [BareAddress: Int] = [:]
  private var domains = CountedDomains()

  /// How many are taken.
  var count: Int { places.count }

  /// The requests that wait, and who asks.
  var waiting: [(id: String, contact: BareAddress)] {
    places.compactMap { $1.isWithdrawn ? nil : ($0, $1.contact) }
  }

  /// Whether there is one for an asker.
  mutating func hasRoom(for contact: BareAddress, now: Instant) -> Bool {
    if !isFree(contact) { free { $0.isWithdrawn && $0.until <= now } }
    return isFree(contact)
  }

  /// Takes one.
  mutating func take(_ request: DecloakRequest) {
    places[request.id] = Place(contact: request.contact, until: request.expiresAt)
    contacts[request.contact, default: 0] += 1
    domains.add(request.contact)
  }

  /// A request has ended.
  mutating func resolved(_ request: DecloakRequest, _ outcome: RequestOutcome) {
    guard outcome == .withdrawn else { return free(request.id) }
    places[request.id]?.isWithdrawn = true
  }

  /// Frees the places of requests that were taken back, for askers of whom something is true.
  mutating func freeWithdrawn(where isMeant: (BareAddress) -> Bool) {
    free { $0.isWithdrawn && isMeant($0.contact) }
  }

  private func isFree(_ contact: BareAddress) -> Bool {
    places.count < Limits.gatewayPending && domains[contact] < Limits.gatewayPendingPerDomain
      && (contacts[contact] ?? 0) < Limits.gatewayPendingPerAsker
  }

  private mutating func free(where isMeant: (Place) -> Bool) {
    for id in places.filter({ isMeant($0.value) }).keys { free(id) }
  }

  private mutating func free(_ id: String) {
    guard let contact = places.removeValue(forKey: id)?.contact else { return }
    contacts[contact] = contacts[contact].flatMap { $0 > 1 ? $0 - 1 : nil }
    domains.remove(contact)
  }
}
