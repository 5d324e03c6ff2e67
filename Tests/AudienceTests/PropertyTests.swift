// SPDX-License-Identifier: Apache-2.0

internal import Glibc
import Testing

@testable import Audience

/// Random events, each followed by the questions that must always have the same answer.
@Suite("Whatever happens")
struct PropertyTests {
  /// `SEQUENCES` says how many are run where there is time for more.
  private static let sequences = getenv("SEQUENCES").flatMap { UInt64(String(cString: $0)) } ?? 2000

  @Test("Only those who may know are shown us, by a person's act, and exactly those who no longer may are told")
  func anySequence() throws {
    for seed in 0..<Self.sequences {
      var run = RandomRun(seed: seed)
      for _ in 0..<20 {
        let event = run.step()
        if let wrong = run.wrong {
          Issue.record("\(wrong), after \(event) (seed \(seed))")
          return
        }
      }
      run.finish()
      if let wrong = run.wrong {
        Issue.record("\(wrong), at the end (seed \(seed))")
        return
      }
    }
  }

  @Test("Nothing that an outsider or a client can make grow grows above its limit")
  func limits() {
    for seed in 0..<4 {
      var random = SplitMix64(seed: UInt64(seed))
      var world = World(seed.isMultiple(of: 2) ? .ask : .allow, subscribers: Set((0..<20).map(contact)))
      for event in 1...4000 {
        flood(&world, &random)
        if event.isMultiple(of: 50), let grown = grown(world) {
          Issue.record("\(grown) (seed \(seed))")
          return
        }
      }
    }
  }

  private func contact(_ index: Int) -> BareAddress { BareAddress("c\(index)@d\(index % 40).example") }

  private func flood(_ world: inout World, _ random: inout SplitMix64) {
    let contact = contact(Int.random(in: 0..<800, using: &random))
    let full = "\(contact)/r\(Int.random(in: 0..<24, using: &random))"
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<50: world.receive(full, isInRoster: Bool.random(using: &random))
    case 50..<60: _ = try? world.share(full)
    case 60..<70: _ = try? world.ask(contact)
    case 70..<90: world.appear("\(world.decloak.asks.keys.min() ?? contact)/r\(Int.random(in: 0..<24, using: &random))")
    case 90..<94: _ = try? world.approve(world.decloak.pendingRequests.first?.id ?? "")
    case 94..<98: _ = try? world.deny(world.decloak.pendingRequests.first?.id ?? "")
    default: world.pass(0.2)
    }
  }

  private func grown(_ world: World) -> String? {
    let decloak = world.decloak
    let inDomain = Dictionary(grouping: decloak.pending.keys, by: \.domain).values.map(\.count).max() ?? 0
    let requesters = decloak.pending.values.map(\.requesters.count).max() ?? 0
    let sizes: [(name: String, size: Int, most: Int)] = [
      ("pending requests", decloak.pending.count, 16),
      ("pending requests of one domain", inDomain, 8),
      ("requesters", requesters, 16),
      ("sessions", world.audience.sessions.count, 256),
      ("peers", decloak.peers.count, 512),
      ("requests of our own", decloak.asks.count, 64),
      ("silenced contacts", decloak.silences.count, 4096),
      ("copies sent again", decloak.resentAt.count, 4096),
      // 16 for each of 20 subscribers and of as many contacts as there can be sessions, and the sessions.
      ("addresses shown", world.audience.shown.count, 16 * (20 + 256) + 256),
    ]
    return sizes.first { $0.size > $0.most }.map { "\($0.name) grew to \($0.size)" }
  }
}
