// SPDX-License-Identifier: Apache-2.0

import Support

// Changes of the roster, by us and by those on it.

extension OutsideRun {
  /// Contacts that are logged in and stand so with us; one that is not on the roster stands in no relation.
  func present(_ stands: (OutsideModel.Contact) -> Bool) -> [Recorder] {
    cast.contacts.filter {
      $0.client != nil && $0.resource == "one" && stands(model.roster[$0.bare] ?? OutsideModel.Contact())
    }
  }

  private func take(_ stands: (OutsideModel.Contact) -> Bool) throws -> Recorder {
    guard let contact = present(stands).randomElement(using: &numbers) else {
      throw WitnessError("nobody to choose from")
    }
    subscriptionTalk.insert(contact.bare)
    return contact
  }

  /// A second device of ours puts a contact into other groups.
  func move() throws {
    guard let contact = cast.contacts.filter({ model.roster[$0.bare] != nil }).randomElement(using: &numbers) else {
      return
    }
    let groups = Set(Cast.groups.filter { _ in Bool.random(using: &numbers) })
    note("\(contact.role) moves to \(groups.sorted())")
    try cast.arrange(contact.bare, groups, through: account.device())
    model.roster[contact.bare]?.groups = groups
  }

  /// A contact asks for a subscription, and is answered.
  func contactSubscribes() throws {
    let contact = try take { !$0.seesUs }
    note("\(contact.role) asks for a subscription")
    try contact.send("<presence to='\(account.jid)' type='subscribe'/>")
    try fence()
    let requests = try account.call(.Connection, "ListSubscriptionRequests").first?.list ?? []
    let isListed = requests.contains { $0["Contact"]?.text == contact.bare }
    // A server that thinks us offline keeps it until we broadcast, and jabberd2 while our priority is negative; one that
    // is kept ejabberd does not send again (measured).
    let isHidden = model.mechanism == "directed" && model.mode != "visible"
    if !isListed, isHidden || plan.server == .jabberd2 || waiting.contains(contact.bare) {
      waiting.insert(contact.bare)
      return
    }
    guard isListed else {
      throw WitnessError("the request of \(contact.role) is not listed: \(requests)")
    }
    waiting.remove(contact.bare)
    let isYes = Int.random(in: 0..<4, using: &numbers) > 0
    note(isYes ? "AuthorizeSubscription" : "DenySubscription")
    if isYes { model.roster[contact.bare, default: OutsideModel.Contact()].seesUs = true }
    warned(contact)
    if !isYes { mayLoseSight(contact) }
    try account.call(
      .Connection, isYes ? "AuthorizeSubscription" : "DenySubscription",
      [.string(contact.bare), .options(["reveal": .bool(true)])])
    try keepGroups(of: contact)
  }

  /// A server that takes a contact off the roster when no subscription is left forgets its groups.
  private func keepGroups(of contact: Recorder) throws {
    guard let groups = model.roster[contact.bare]?.groups, !groups.isEmpty else { return }
    try cast.arrange(contact.bare, groups, through: account.device())
  }

  func contactUnsubscribes() throws {
    let contact = try take { $0.seesUs }
    note("\(contact.role) unsubscribes")
    try contact.send("<presence to='\(account.jid)' type='unsubscribe'/>")
    // Their other resources have it from the roster push.
    for recorder in cast.recorders where recorder.bare == contact.bare { recorder.forget() }
    model.roster[contact.bare]?.seesUs = false
    mayLoseSight(contact)
    // Two changes of one contact at once ejabberd may tell of in either order.
    try fence()
    try keepGroups(of: contact)
  }

  /// Around a change of the subscription servers send presence of ours by themselves; the person said `reveal`. What the
  /// contact sees in the end is another thing.
  private func warned(_ contact: Recorder) {
    for recorder in cast.recorders where recorder.bare == contact.bare { permitted[recorder.full] = .all }
  }

  /// A server tells those who lose their subscription that we went, also where a session still shows us.
  private func mayLoseSight(_ contact: Recorder) {
    formerSubscribers.insert([contact.bare, account.fullJID])
    for recorder in cast.recorders where recorder.bare == contact.bare { recorder.isLate = true }
  }

  /// We ask for a subscription, and the contact says yes.
  func subscribe() throws {
    let contact = try take { !$0.isSeen }
    guard try isRefused("Subscribe", contact) == false else { return }
    try account.call(.Connection, "Subscribe", [.string(contact.bare), .options(["reveal": .bool(true)])])
    model.roster[contact.bare, default: OutsideModel.Contact()].isSeen = true
    try contact.send("<presence to='\(account.jid)' type='subscribed'/>")
  }

  /// We end a subscription, of theirs, of ours, or both.
  func endSubscription(_ kind: StepKind) throws {
    let contact = try take { kind == .unsubscribe ? $0.isSeen : kind == .deny ? $0.seesUs : $0.seesUs || $0.isSeen }
    // Of a contact that has none and asks for one ejabberd tells its user nothing, not even that (from its source).
    guard plan.server != .ejabberd || !waiting.contains(contact.bare) else { return }
    guard try isRefused(kind.rawValue, contact) == false else { return }
    warned(contact)
    try account.call(.Connection, kind.rawValue, [.string(contact.bare), .options(["reveal": .bool(true)])])
    mayLoseSight(contact)
    switch kind {
    case .unsubscribe: model.roster[contact.bare]?.isSeen = false
    case .deny: model.roster[contact.bare]?.seesUs = false
    default: model.roster[contact.bare] = nil
    }
    try keepGroups(of: contact)
  }

  /// Whoever may not know of us is not told without `reveal`: now and then this is tried, and must come to nothing.
  private func isRefused(_ member: String, _ contact: Recorder) throws -> Bool {
    let isOutside = model.sight(of: contact.bare) == .nothing
    guard isOutside, Int.random(in: 0..<3, using: &numbers) == 0 else {
      note("\(member) \(contact.role)")
      return false
    }
    note("\(member) \(contact.role), without reveal")
    subscriptionTalk.remove(contact.bare)
    do {
      try account.call(.Connection, member, [.string(contact.bare), .options()])
    } catch let refusal as RawBus.Refusal where refusal.ours == "WouldReveal" {
      return true
    }
    throw WitnessError("\(member) told \(contact.role), who does not see us, without reveal")
  }
}
