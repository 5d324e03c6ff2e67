// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// An account's steps, carried out at a ``SimulatedServer``: a stanza that the doorkeeper would not let out is a fault.
struct SimulatedSession {
  /// What went wrong first.
  private(set) var wrong: String?
  private(set) var audience = Audience(account: BareAddress("juliet@capulet.example"))
  private(set) var server: SimulatedServer
  /// How many streams there have been.
  private(set) var streams = 0

  private let mechanism: Mechanism
  private let rebinds: Bool
  private let hasPrivacyLists: Bool
  private let tellsAll: Bool
  private var isUp = false
  private var decloak = Decloak(nonce: "boot")
  /// Who may be told anything during the change that goes on.
  private var concerned: Set<BareAddress> = []

  init(
    _ mechanism: Mechanism, subscribers: Set<BareAddress>, in visibility: Visibility, rebinds: Bool = false,
    hasPrivacyLists: Bool = false, tellsAll: Bool = false
  ) {
    self.mechanism = mechanism
    self.rebinds = rebinds
    self.hasPrivacyLists = hasPrivacyLists
    self.tellsAll = tellsAll
    server = SimulatedServer(mechanism, subscribers: subscribers)
    start(in: visibility)
  }

  private var plan: VisibilityPlan {
    VisibilityPlan(mechanism, subscribers: server.subscribers, rebinds: rebinds)
  }

  private func shown(in visibility: Visibility) -> Set<BareAddress> {
    server.subscribers.filter { visibility.shows($0) }
  }

  // MARK: Changes

  /// Changes from what holds to something else.
  mutating func change(to new: Visibility) {
    begin(new)
    take(plan.change(from: audience.visibility, to: new), new)
    end(new)
  }

  /// Presence of ours changes.
  mutating func sayPresence() {
    begin(audience.visibility)
    if audience.isBroadcasting, audience.link != .exposed { undirected(true) }
    for address in audience.shown where audience.wantsUpdate(address) { directed(address.account, true) }
    end(audience.visibility)
  }

  /// Logs out.
  mutating func close() {
    begin(.invisible)
    closeStream()
    isUp = false
    end(.invisible)
  }

  private mutating func start(in new: Visibility) {
    streams += 1
    isUp = true
    audience.use(mechanism)
    _ = decloak.rosterReplaced(server.subscribers, audience: &audience)
    begin(new)
    take(plan.start(in: new), new)
    end(new)
  }

  private mutating func begin(_ new: Visibility) {
    server.forgetReached()
    concerned = server.believers.union(shown(in: new))
  }

  private mutating func end(_ new: Visibility) {
    if audience.visibility != new { fail("what holds at the end is not what was wanted") }
    let expected = shown(in: new)
    if server.believers != expected { fail("\(server.believers) take us for available in the end, not \(expected)") }
    if mechanism.broadcasts || new.mode == .visible, isUp, server.shownOnLogin != expected {
      fail("\(server.shownOnLogin) would be shown us on coming online, not \(expected)")
    }
    let told = audience.shown.filter { !audience.contains($0) }
    if !told.isEmpty { fail("\(told) are still to be told that we are gone") }
  }

  private mutating func closeStream() {
    take(plan.close(in: audience.visibility, hasPrivacyLists: hasPrivacyLists), audience.visibility)
    server.close(tellsAll: tellsAll)
    judge("the end of the stream")
    audience.streamEnded()
    _ = decloak.visibilityChanged(to: .invisible, audience: &audience)
  }

  // MARK: Steps

  private mutating func take(_ steps: [VisibilityStep], _ new: Visibility) {
    for step in steps {
      take(step, new)
      judge("\(step)")
    }
  }

  private mutating func judge(_ what: String) {
    let strangers = server.reached.union(server.believers).union(server.shownOnLogin).subtracting(concerned)
    if !strangers.isEmpty { fail("\(strangers) get something that is not for them by \(what)") }
  }

  private mutating func fail(_ text: String) { wrong = wrong ?? text }

  private mutating func take(_ step: VisibilityStep, _ new: Visibility) {
    switch step {
    case .end(let leaving): hide(decloak.hide(leaving, audience: &audience))
    case .audience(let visibility): hide(decloak.visibilityChanged(to: visibility, audience: &audience))
    case .sayGone(let contacts): for contact in contacts { directed(contact, false) }
    case .show(let contacts): for contact in contacts { directed(contact, true) }
    case .broadcast: undirected(true)
    case .withdraw:
      if audience.isBroadcasting || audience.isCovered { undirected(false) }
      hide(decloak.visibilityChanged(to: .invisible, audience: &audience))
    case .invisible(let contact):
      // Who is hidden now may be sent nothing later.
      server.invisible(contact)
    case .visible(let contact): server.visible(contact)
    case .invisibleCommand: server.command(isVisible: false)
    case .visibleCommand: server.command(isVisible: true)
    case .list(let visibility): server.set(visibility)
    case .activateList: server.activate(true)
    case .declineList: server.activate(false)
    case .releaseList: break
    case .covered(let isCovered): audience.cover(isCovered)
    case .fence: break
    case .newStream:
      closeStream()
      streams += 1
      take(plan.start(in: new), new)
    }
  }

  private mutating func hide(_ effects: [DecloakEffect]) {
    for case .hide(let address) in effects { directed(address.account, false) }
  }

  private mutating func directed(_ contact: BareAddress, _ isAvailable: Bool) {
    let departure: Departure = isAvailable ? .available : .unavailable
    guard leaves(departure, .bare(contact)) else { return }
    server.directed(to: contact, isAvailable)
  }

  private mutating func undirected(_ isAvailable: Bool) {
    guard leaves(isAvailable ? .available : .unavailable, nil) else { return }
    server.undirected(isAvailable)
  }

  /// What the doorkeeper does with presence that is about to leave.
  private mutating func leaves(_ departure: Departure, _ to: Address?) -> Bool {
    guard DepartureTable.verdict(departure, audience.destination(to), audience.link) == .send else {
      fail("\(departure) presence to \(to.map(String.init(describing:)) ?? "everybody") would be refused")
      return false
    }
    audience.noteDeparture(departure, to: to)
    return true
  }
}
