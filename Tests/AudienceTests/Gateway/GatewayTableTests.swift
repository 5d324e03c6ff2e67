// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

/// What becomes of a request or a subscription.
private enum Becomes: String {
  case nothing, allowed, asked, denied
}

/// Everything that has a say: the policy, rules about the asker, its domain and the address, and who is to see us.
private struct Case: CustomStringConvertible {
  let policy: Decloak.Policy
  let contact: RuleDecision?
  let domain: RuleDecision?
  /// By the pattern.
  let targets: [String: RuleDecision]
  let visibility: Visibility

  var rules: [String: RuleDecision] {
    var rules = targets
    rules["juliet@capulet.example"] = contact
    rules["@capulet.example"] = domain
    return rules
  }

  var description: String {
    "\(policy), \(rules.sorted { $0.key < $1.key }), \(visibility.mode) \(visibility.exceptions.sorted())"
  }
}

@Suite("Who decides about an address at a gateway")
struct GatewayTableTests {
  private static let decisions: [RuleDecision?] = [nil, .allow, .ask, .deny]
  // Beside them what comes of them for romeo's address, where it says something.
  private static let targets: [([String: RuleDecision], RuleDecision?)] = [
    ([:], nil), (["to:*": .allow], .allow), (["to:*": .ask], .ask), (["to:*": .deny], .deny),
    (["to:paris@\(sip)": .allow], .deny), (["to:paris@\(sip)": .deny], .deny),
    (["to:*": .deny, "to:romeo%shakespeare.lit@\(sip)": .allow], .allow),
    (["to:*": .allow, "to:romeo*": .ask, "to:romeo%shakespeare.lit@\(sip)": .deny], .deny),
    (["to:romeo*": .allow, "to:*romeo": .deny, "to:r*omeo*": .ask], .ask),
  ]
  private static let visibilities: [(Visibility, isHidden: Bool)] = [
    (.visible, false), (.invisible, true), (Visibility(showsOthers: true, exceptions: [juliet]), true),
    (Visibility(showsOthers: true, exceptions: [romeo]), false),
    (Visibility(showsOthers: false, exceptions: [juliet]), true),
  ]

  /// The table in one sentence: what the address says counts first, where a no is silence and a question makes one of each
  /// yes; then the asker, its domain, and the policy, for which the address may stand in; and who hides is asked.
  private static func outcome(_ row: Case, _ target: RuleDecision?, _ isHidden: Bool) -> Becomes {
    if row.policy == .off || target == .deny { return .nothing }
    let byPolicy: RuleDecision =
      switch row.policy {
      case .ask: .ask
      case .allow: .allow
      case .off, .rules: target ?? .deny
      }
    switch row.contact ?? row.domain ?? byPolicy {
    case .deny: return .denied
    case .ask: return .asked
    case .allow: return isHidden || target == .ask ? .asked : .allowed
    }
  }

  @Test("Each of 2,880 combinations says what the table says, of requests and of subscriptions, in any order of rules")
  func table() throws {
    var random = SplitMix64(seed: 1)
    var count = 0
    for policy in Decloak.Policy.allCases {
      for contact in Self.decisions {
        for domain in Self.decisions {
          for (targets, target) in Self.targets {
            for (visibility, isHidden) in Self.visibilities {
              let row = Case(
                policy: policy, contact: contact, domain: domain, targets: targets, visibility: visibility)
              let expected = Self.outcome(row, target, isHidden)
              try check(row, expected, GatewayWorld(policy, rules: row.rules, visibility: visibility))
              // The same said later, and in another order.
              var later = GatewayWorld(.off)
              for (subject, decision) in row.rules.shuffled(using: &random) { try later.setRule(subject, decision) }
              later.setVisibility(visibility)
              later.setPolicy(policy)
              try check(row, expected, later)
              count += 1
            }
          }
        }
      }
    }
    #expect(count == 2880)
  }

  private func check(_ row: Case, _ expected: Becomes, _ world: GatewayWorld) throws {
    #expect(requested(world) == expected, "\(row), of a request")
    #expect(subscribed(world) == expected, "\(row), of a subscription")
    #expect(world.gateway.isHidden(romeoAtSip) == (Self.isHidden(row)), "\(row)")
  }

  private static func isHidden(_ row: Case) -> Bool {
    targets.first { $0.0 == row.targets }?.1 == .deny
  }

  private func requested(_ world: GatewayWorld) -> Becomes? {
    var world = world
    let effects = world.receive()
    let balcony = jid("juliet@capulet.example/balcony")
    let sees = world.shows(to: "\(balcony)")
    switch (effects.sent, world.gateway.pendingCount, effects.decloak.resolved.map(\.outcome)) {
    case ([], 0, []): return effects.isEmpty && world.gateway.targets.isEmpty ? .nothing : nil
    case ([], 1, []): return sees ? nil : .asked
    case ([], 0, [.denied]): return sees || world.gateway.silenced.count != 1 ? nil : .denied
    case ([.decloak(romeoAtSip, .show(balcony, full: false))], 0, [.approved]): return sees ? .allowed : nil
    default: return nil
    }
  }

  private func subscribed(_ world: GatewayWorld) -> Becomes? {
    var world = world
    let mine = GatewaySubscription(contact: juliet, target: romeoAtSip)
    let wasHeard = world.gateway.counts.hidden
    let effects = world.subscribe()
    let sees = world.shows(to: "juliet@capulet.example/any")
    guard world.gateway.subscriptions.contains(mine) == sees else { return nil }
    if sees {
      return effects == [.keep(mine), .subscribed(mine), .decloak(romeoAtSip, .show(.bare(juliet), full: true))]
        ? .allowed : nil
    }
    guard effects.sent.isEmpty else { return nil }
    if effects.announcedSubscriptions == [mine] { return .asked }
    guard effects.isEmpty else { return nil }
    return world.gateway.policy == .off || world.gateway.counts.hidden != wasHeard ? .nothing : .denied
  }
}
