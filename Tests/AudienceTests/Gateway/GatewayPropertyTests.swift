// SPDX-License-Identifier: Apache-2.0

internal import Glibc
import Testing

@testable import Audience

@Suite("Whatever happens at a gateway")
struct GatewayPropertyTests {
  /// `SEQUENCES` says how many are run where there is time for more.
  private static let sequences = getenv("SEQUENCES").flatMap { UInt64(String(cString: $0)) } ?? 500

  @Test(
    "Only those who may know are shown an address, and who may know no longer is told; hidden ones are never heard of")
  func anySequence() throws {
    for seed in 0..<Self.sequences {
      var run = GatewayRun(seed: seed)
      for _ in 0..<30 {
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

  @Test(
    "40,000 askers in 1,000 domains and 20,000 addresses leave nothing behind that grows",
    arguments: [Decloak.Policy.rules, .ask, .allow])
  func flood(_ policy: Decloak.Policy) {
    var world = GatewayWorld(policy)
    var told = 0
    for index in 0..<40_000 {
      let asker = "a\(index)@d\(index % 1000).example/x\(index % 7)"
      let target = BareAddress("t\(index % 20_000)@\(sip)")
      told += world.receive(asker, at: target).decloak.announced.count
      if index.isMultiple(of: 3) { world.leave(asker, from: target) }
      if index.isMultiple(of: 667) { world.wait(1) }
    }
    let gateway = world.gateway
    let hosts = gateway.targets.count
    // A minute: what is told at once, and then with each second; or what may wait.
    #expect(told <= (policy == .ask ? 256 : 16 + 4 * 60))
    #expect(gateway.sessionCount <= 20_000)
    #expect(gateway.shownCount <= 20_000)
    #expect(gateway.pendingCount <= 256)
    #expect(gateway.silenced.count <= 256)
    #expect(gateway.pairCount <= 20_512)
    #expect(hosts <= 20_512)
    #expect(gateway.deadlines.count <= 2 * gateway.pairCount + 1025)
  }
}
