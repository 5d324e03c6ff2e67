// SPDX-License-Identifier: Apache-2.0

/// The places of requests that are over although no person answered them. A request that a rule answers, or whose sender
/// leaves at once, would otherwise free its place for the next, and whoever watches would be told of as many as come.
struct HeldPlaces: Sendable {
  /// One contact's.
  struct Place: Hashable, Sendable {
    /// How its last request ended.
    let outcome: RequestOutcome
    /// How often the contact was announced since the place was taken.
    let announcements: Int
    /// How often it was answered with an automatic yes since then.
    var answers = 1
    /// When the place is free.
    let until: Instant
  }

  private var places: [BareAddress: Place] = [:]

  /// How many are held.
  var count: Int { places.count }

  /// Who holds one.
  var contacts: some Collection<BareAddress> { places.keys }

  /// A contact's.
  subscript(contact: BareAddress) -> Place? { places[contact] }

  /// Holds the place of a request that has ended.
  mutating func hold(_ request: DecloakRequest, _ outcome: RequestOutcome) {
    places[request.contact] = Place(
      outcome: outcome, announcements: request.announcements, until: request.expiresAt)
  }

  /// Counts one more automatic yes to a contact whose last one was told.
  /// - Returns: whether it may be given.
  mutating func answer(_ contact: BareAddress) -> Bool {
    guard let place = places[contact], place.outcome == .approved, place.answers < Limits.answersPerContact else {
      return false
    }
    places[contact]?.answers += 1
    return true
  }

  /// Frees all.
  mutating func removeAll() { places.removeAll() }

  /// Frees a contact's place.
  /// - Returns: what was held.
  @discardableResult
  mutating func free(_ contact: BareAddress) -> Place? { places.removeValue(forKey: contact) }

  /// Frees what has been held long enough.
  mutating func timePassed(_ now: Instant) {
    guard places.values.contains(where: { $0.until <= now }) else { return }
    places = places.filter { $0.value.until > now }
  }
}
