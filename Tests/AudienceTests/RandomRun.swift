// SPDX-License-Identifier: Apache-2.0

@testable import Audience

/// One random sequence, carried out on the core and on the model.
struct RandomRun {
  var world: World
  var model = MayKnow()
  /// What was wrong first.
  var wrong: String?
  private var random: SplitMix64
  private let contacts = [tybalt, romeo, BareAddress("nurse@capulet.example")]
  private let everybody: [Address]

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    everybody = contacts.flatMap { [.bare($0), jid("\($0)/one"), jid("\($0)/two")] }
    world = World([.ask, .allow][Int.random(in: 0..<2, using: &random)])
  }

  /// Takes a random event and checks everything after it.
  mutating func step() -> String {
    let address = everybody.randomElement(using: &random) ?? .bare(tybalt)
    let contact = address.account
    let lifetime = UInt32.random(in: 1...300, using: &random)
    let isFull = Bool.random(using: &random)
    let now = world.now
    switch Int.random(in: 0..<15, using: &random) {
    case 0, 1: receive(address)
    case 2: approve(lifetime, isFull)
    case 3: if let request = anyRequest { after { _ = try? $0.deny(request.id) } }
    case 4:
      let effects = sending { $0.leave("\(address)") }
      left(address, effects)
    case 5:
      let reveal = Bool.random(using: &random)
      let allowed = model.mode == .visible || reveal || model.contains(.bare(contact))
      let effects = sending { (try? $0.ask(contact, lifetime: lifetime, reveal: reveal))?.effects ?? [] }
      if !effects.shown.isEmpty { model.ask(contact, lifetime: lifetime, now: now) }
      if !allowed, !effects.shown.isEmpty { wrong = "asked though invisible" }
      check(effects)
    case 6:
      let effects = sending { $0.appear("\(address)") }
      model.appeared(contact, now: now)
      check(effects)
    case 7:
      let effects = sending { (try? $0.share("\(address)", full: isFull, lifetime: lifetime)) ?? [] }
      model.grant(address, until: now.later(bySeconds: lifetime))
      if let ask = model.asks[contact], address == .bare(contact) {
        model.asks[contact] = (ask.until, ask.lifetime, began: false, ask.isAnswered)
      }
      check(effects)
    case 8:
      let whom = Bool.random(using: &random) ? nil : contact
      let effects = sending { $0.revoke(whom).effects }
      model.end { address, _ in whom == nil || address.account == whom }
      check(effects)
    case 9:
      let effects = sending { (try? $0.upgrade(contact)) ?? [] }
      model.upgrading.formUnion(model.grants.keys.filter { $0.account == contact })
      check(effects)
    case 10: subscribe(contact)
    case 11: setMode(model.mode == .visible ? .invisible : .visible)
    case 12:
      let policy: Decloak.Policy = [.off, .ask, .allow][Int.random(in: 0..<3, using: &random)]
      let turnsOff = policy == .off && world.decloak.policy != .off
      let effects = sending { $0.setPolicy(policy) }
      if turnsOff { model.end { _, grant in grant.isAnswer } }
      check(effects)
    case 13: disconnect()
    default:
      let effects = sending { $0.wait(Double(lifetime) / 2) }
      let later = world.now
      model.end { _, grant in grant.until <= later }
      model.asks = model.asks.filter { $0.value.isAnswered || $0.value.until > later }
      check(effects)
    }
    return "an event with \(address) at \(now.nanoseconds / 1_000_000) ms"
  }

  /// Ends everything: nobody who was shown us is left untold.
  mutating func finish() {
    setMode(.invisible)
    let effects = sending { $0.revoke().effects }
    model.end { _, _ in true }
    check(effects)
    if !model.told.isEmpty { wrong = "\(model.told) were never told" }
    if !world.audience.shown.isEmpty { wrong = "\(world.audience.shown) were not noted as told" }
  }

  // MARK: Events

  private var anyRequest: DecloakRequest? { world.decloak.pendingRequests.first }

  private mutating func after(_ event: (inout World) -> Void) {
    event(&world)
    check([])
  }

  private mutating func sending(_ event: (inout World) -> [DecloakEffect]) -> [DecloakEffect] { event(&world) }

  private mutating func receive(_ address: Address) {
    let isIn = model.contains(address)
    let effects = sending { $0.receive("\(address)") }
    if !isIn, world.decloak.policy == .allow, model.mode == .visible, effects.resolved.first?.outcome == .approved {
      model.grant(address, until: world.now.later(bySeconds: 3600), isAnswer: true)
    }
    if world.decloak.policy == .off, !effects.isEmpty { wrong = "answered though off" }
    check(effects)
  }

  private mutating func approve(_ lifetime: UInt32, _ isFull: Bool) {
    guard let request = anyRequest else { return }
    let now = world.now
    let effects = sending { (try? $0.approve(request.id, full: isFull, lifetime: lifetime)) ?? [] }
    guard request.expiresAt > now else { return check(effects) }
    for address in request.requesters {
      model.grant(address, until: now.later(bySeconds: lifetime), isAnswer: true)
    }
    check(effects)
  }

  private mutating func left(_ address: Address, _ effects: [DecloakEffect]) {
    let contact = address.account
    model.end { other, _ in other == address }
    // The last peer takes with it what our request began.
    if let ask = model.asks[contact], ask.isAnswered, world.decloak.peers(of: contact).isEmpty {
      model.asks[contact] = nil
      if ask.began { model.end { other, _ in other == .bare(contact) } }
    }
    check(effects)
  }

  private mutating func subscribe(_ contact: BareAddress) {
    let seesUs = Bool.random(using: &random)
    let seen = Bool.random(using: &random)
    let effects = sending { $0.roster(contact, seesUs: seesUs, seen: seen) }
    if seesUs { model.subscribers.insert(contact) } else { model.subscribers.remove(contact) }
    if seen { model.upgraded(contact) }
    check(effects)
  }

  private mutating func setMode(_ mode: Mode) {
    guard mode != model.mode else { return }
    let effects = sending { $0.setMode(mode) }
    if mode == .visible {
      model.becameVisible()
    } else {
      model.end { _, _ in true }
      model.mode = .invisible
    }
    check(effects)
    // The undirected unavailable, sent before the mode, tells all the rest.
    if mode == .invisible { model.told.removeAll() }
  }

  private mutating func disconnect() {
    let inOrder = Bool.random(using: &random)
    let effects = sending { $0.disconnect(inOrder: inOrder) }
    model.end { _, _ in true }
    if !inOrder { model.told.removeAll() }
    check(effects)
    model.told.removeAll()
  }

  // MARK: What must hold

  private mutating func check(_ effects: [DecloakEffect]) {
    for effect in effects {
      switch effect {
      case .show, .request:
        for address in [effect].shown {
          if !model.contains(address) { wrong = "\(address) was shown us from outside" }
          model.told.insert(address)
        }
      case .hide(let address):
        if model.contains(address) { wrong = "\(address) was told unavailable though inside" }
        if model.told.remove(address) == nil { wrong = "\(address) was told unavailable without having been shown" }
      default: break
      }
    }
    for address in everybody where model.contains(address) != world.audience.contains(address) {
      wrong = "\(address) is inside: the model says \(model.contains(address))"
    }
    if let stale = model.told.first(where: { !model.contains($0) }), model.mode == world.audience.mode,
      world.audience.shown.contains(stale)
    {
      wrong = "\(stale) is outside and was not told"
    }
  }
}
