// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML
internal import XMPP

/// The other clients of our own account that are available: each shows the person who wants to be hidden.
///
/// Where we broadcast, the server tells us of them (RFC 6121 §4.2.2). A session that never has is told nothing, neither
/// what there is nor what changes, so it has to ask. Measured, with another client available:
/// * ejabberd 23.01 answers nothing for our bare JID, but lists our resources (disco#items), the hidden ones too, and
///   answers for each that is available.
/// * jabberd2 2.7.0 answers for the bare JID, and says nothing where nobody is there: silence counts once it has answered.
/// * Prosody 0.12.3 refuses the first (`bad-request`), lists nothing, and answers nothing for a full JID: it cannot be
///   known.
///
/// None of them tells the other client that it was asked about.
@LoopActor
final class OwnResources {
  /// Of each kind, how many are kept or asked.
  static let most = 64
  private static let itemsNamespace = "http://jabber.org/protocol/disco#items"
  private static let limit = Duration.seconds(10)

  /// Called when ``available`` or ``isKnown`` may have changed.
  var onChange: @LoopActor () -> Void = {}
  /// Their names.
  private(set) var available: Set<String> = []
  /// Whether the server has told all there is.
  private(set) var isKnown = false

  private var unconfirmed: Set<String> = []
  private var hasAnswered = false
  private var serial: UInt64 = 0
  private var isLooking = false
  private let account: BareJID
  private let probe: @LoopActor (JID) -> Bool
  private let requests: IQRequests

  /// - Parameter probe: sends a presence probe, and says whether it left.
  init(_ account: BareJID, requests: IQRequests, probe: @escaping @LoopActor (JID) -> Bool) {
    self.account = account
    self.requests = requests
    self.probe = probe
  }

  /// Presence has come from a resource of our own account that is not this session's.
  func arrived(_ from: JID, _ type: Presence.Kind) {
    switch (type, from.resource) {
    case (.available, let resource?) where available.count < Self.most:
      available.insert(resource)
      unconfirmed.remove(resource)
      if isLooking { hasAnswered = true }
    case (.unavailable, let resource?): available.remove(resource)
    case (.unavailable, nil): available.removeAll()
    default: return
    }
    onChange()
  }

  /// Asks who there is.
  /// - Parameter own: the resource of this session.
  func look(besides own: String) {
    guard !isLooking else { return }
    unconfirmed = available
    isLooking = true
    guard probe(JID(account)) else { return isLooking = false }
    let serial = serial
    spawn {
      let isComplete = await self.ask(own, serial)
      guard self.serial == serial else { return }
      self.isLooking = false
      guard let isComplete else { return }
      self.isKnown = isComplete
      if isComplete { self.available.subtract(self.unconfirmed) }
      self.onChange()
    }
  }

  /// - Returns: whether the answers are all there is to know; `nil` if the connection was lost over it.
  private func ask(_ own: String, _ serial: UInt64) async -> Bool? {
    // Its answer comes behind those to the probe.
    guard let listed = await exchange(JID(account), Element("query", Self.itemsNamespace)) else { return nil }
    let items = listed.type == .result ? listed.payload.first?.children.map { $0 } ?? [] : []
    let resources = Set(
      items.compactMap { $0.attribute("jid").flatMap { try? JID($0) } }.filter { $0.bare == account }
        .compactMap(\.resource))
    // A list that leaves ourselves out is not one of resources.
    guard self.serial == serial, resources.contains(own), resources.count <= Self.most else { return hasAnswered }
    for resource in resources.sorted() where resource != own {
      guard let jid = try? JID("\(account)/\(resource)"), probe(jid) else { return nil }
    }
    guard await exchange(account.server, Element("ping", "urn:xmpp:ping")) != nil else { return nil }
    return true
  }

  private func exchange(_ to: JID, _ payload: Element) async -> IQ? {
    do throws(AccountError) {
      return try await requests.exchange(.get, to: to, payload: payload, limit: Self.limit)
    } catch {
      return nil
    }
  }

  /// The session is over.
  func forget() {
    serial += 1
    isLooking = false
    isKnown = false
    hasAnswered = false
    available.removeAll()
    unconfirmed.removeAll()
  }
}
