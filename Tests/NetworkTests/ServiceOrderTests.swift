// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Network

/// Chance that is the same each time (xorshift).
struct RepeatableChance: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

@Suite("The order of SRV records (RFC 2782)")
struct ServiceOrderTests {
  private func record(_ host: String, _ priority: UInt16, _ weight: UInt16) throws -> ServiceRecord {
    try #require(ServiceRecord(host: host, port: 5222, priority: priority, weight: weight))
  }

  private func order(_ records: [ServiceRecord], _ chance: inout RepeatableChance) -> [String] {
    ServiceOrder.ordered(records, by: \.self, using: &chance).map(\.host)
  }

  @Test("Lower priorities come first, whatever they weigh")
  func priorities() throws {
    let records = [
      try record("c", 20, 65_535), try record("a", 0, 0), try record("d", 65_535, 1), try record("b", 10, 65_535),
    ]
    for seed in 1...50 as ClosedRange<UInt64> {
      var chance = RepeatableChance(seed)
      #expect(order(records, &chance) == ["a", "b", "c", "d"])
    }
  }

  @Test("Among equals each comes first as often as it weighs")
  func weights() throws {
    let records = [try record("one", 5, 10), try record("two", 5, 30), try record("three", 5, 60)]
    var chance = RepeatableChance(4711)
    var firsts: [String: Int] = [:]
    var seconds: [String: Int] = [:]
    for _ in 0..<10_000 {
      let ordered = order(records, &chance)
      #expect(Set(ordered).count == 3)
      firsts[ordered[0], default: 0] += 1
      if ordered[0] == "three" { seconds[ordered[1], default: 0] += 1 }
    }
    #expect((900...1200).contains(firsts["one"] ?? 0), "\(firsts)")
    #expect((2800...3200).contains(firsts["two"] ?? 0), "\(firsts)")
    #expect((5800...6200).contains(firsts["three"] ?? 0), "\(firsts)")
    // The rest is chosen in the same way: one to three.
    let share = Double(seconds["one"] ?? 0) / Double(firsts["three"] ?? 1)
    #expect((0.22...0.30).contains(share), "\(seconds)")
  }

  @Test("Without weight it comes first seldom, and not never")
  func weightless() throws {
    let records = [try record("heavy", 5, 99), try record("none", 5, 0)]
    var chance = RepeatableChance(815)
    let count = (0..<10_000).count { _ in order(records, &chance).first == "none" }
    #expect((50...200).contains(count), "\(count)")
  }

  @Test("The largest weights do not overflow, and nothing stays nothing")
  func extremes() throws {
    var chance = RepeatableChance(1)
    let records = try (0..<64).map { try record("h\($0)", 0, .max) }
    #expect(Set(order(records, &chance)).count == 64)
    #expect(order([], &chance).isEmpty)
  }

  @Test(
    "What is no name of a host is no record",
    arguments: [
      "a b", "a..b", ".a", "a/b", "a\n", "a\u{1b}[31m", "ä", "-\\000", String(repeating: "a", count: 64),
      Array(repeating: "abcdefg", count: 32).joined(separator: "."),
    ])
  func invalid(host: String) {
    #expect(ServiceRecord(host: host, port: 1, priority: 0, weight: 0) == nil)
  }

  @Test("A target that is the root says that there is no service")
  func root() {
    #expect(ServiceRecord(host: ".", port: 0, priority: 0, weight: 0)?.saysThatThereIsNone == true)
    #expect(ServiceRecord(host: "", port: 0, priority: 0, weight: 0)?.saysThatThereIsNone == true)
    #expect(ServiceRecord(host: "xmpp_1.Example.org.", port: 0, priority: 0, weight: 0)?.host == "xmpp_1.Example.org")
  }
}
