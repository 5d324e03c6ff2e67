// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

@Suite("Rules about addresses of a gateway")
struct TargetPatternTests {
  @Test(
    "An asterisk stands for any run of characters",
    arguments: [
      ("*%shakespeare.lit@\(sip)", true), ("*@\(sip)", true), ("*", true), ("romeo*", true), ("r*o%s*e.lit@*", true),
      ("**romeo**%shakespeare.lit@\(sip)", true), ("romeo%shakespeare.lit@\(sip)", true),
      ("*%montague.lit@\(sip)", false), ("romeo@\(sip)", false), ("*romeo*romeo*", false),
      ("romeo%shakespeare.lit@*lit@\(sip)", false), ("*%shakespeare.lit@sip.other.lit", false),
      ("rome*omeo%shakespeare.lit@\(sip)", false),
    ])
  func matching(_ text: String, _ isMeant: Bool) throws {
    let pattern = try TargetPattern(text)
    #expect(pattern.matches(Array("romeo%shakespeare.lit@\(sip)".utf8)) == isMeant)
  }

  @Test(
    "However a pattern is written, it has one form",
    arguments: [
      ("romeo%shakespeare.lit@\(sip)", "romeo%shakespeare.lit@\(sip)"),
      ("Romeo\\40shakespeare.lit@\(sip)", "romeo%shakespeare.lit@\(sip)"),
      ("romeo@shakespeare.lit.@\(sip)", "romeo%shakespeare.lit@\(sip)"),
      ("*\\40shakespeare.lit@\(sip)", "*%shakespeare.lit@\(sip)"),
      ("*@Shakespeare.lit.@\(sip)", "*%shakespeare.lit@\(sip)"),
      ("**%h@\(sip)", "*%h@\(sip)"),
      ("+1-900*@\(sip)", "+1900*@\(sip)"), ("+1 (900) 1@\(sip)", "+19001@\(sip)"),
      ("+1-900*%h@\(sip)", "+1900*%h@\(sip)"), ("+1 (900)*\\40H.@\(sip)", "+1900*%h@\(sip)"),
      ("+1-900*%a-b.h@\(sip)", "+1900*%a-b.h@\(sip)"), ("a-b*%h@\(sip)", "a-b*%h@\(sip)"),
      ("*-900@\(sip)", "*-900@\(sip)"), ("Romeo*", "romeo*"), ("*\u{301}%h.@\(sip)", "*\u{301}%h@\(sip)"),
    ])
  func forms(_ text: String, _ form: String) throws {
    #expect(try TargetPattern(text).text == form)
    #expect(try TargetPattern(form) == TargetPattern(text))
    #expect(RuleSubject.target(try TargetPattern(text)).description == "to:\(form)")
  }

  @Test("A pattern that no address can match is refused, with the reason")
  func faults() {
    #expect(throws: TargetPattern.Fault.withoutDomain) { try TargetPattern("romeo") }
    #expect(throws: TargetPattern.Fault.withoutDomain) { try TargetPattern("") }
    #expect(throws: TargetPattern.Fault.noAddress) { try TargetPattern("ro meo@\(sip)") }
    #expect(throws: TargetPattern.Fault.noAddress) { try TargetPattern("@\(sip)") }
    #expect(throws: TargetPattern.Fault.tooLong) { try TargetPattern(String(repeating: "a", count: 3072) + "*") }
  }

  @Test("Of several patterns that match, the one with the longest literal text is meant")
  func longest() throws {
    var rules = TargetRules()
    rules.set(.deny, for: try TargetPattern("*@\(sip)"))
    rules.set(.allow, for: try TargetPattern("*%shakespeare.lit@\(sip)"))
    rules.set(.ask, for: try TargetPattern("romeo%shakespeare.lit@\(sip)"))
    func verdict(_ local: String) -> TargetRules.Verdict { rules.verdict(on: "\(local)@\(sip)") }
    #expect(verdict("juliet%montague.lit") == .hidden)
    #expect(verdict("benvolio%shakespeare.lit").decision == .allow)
    #expect(verdict("romeo%shakespeare.lit").decision == .ask)
    rules.set(nil, for: try TargetPattern("romeo%shakespeare.lit@\(sip)"))
    #expect(verdict("romeo%shakespeare.lit").decision == .allow)
  }

  @Test("Of two that are equally long, the one that shows less is meant", arguments: [true, false])
  func ties(_ isExact: Bool) throws {
    let first = isExact ? "ab@\(sip)" : "a*b@\(sip)"
    let decisions: [RuleDecision] = [.allow, .ask, .deny]
    for (left, less) in decisions.enumerated() {
      for (right, more) in decisions.enumerated() {
        var rules = TargetRules()
        rules.set(less, for: try TargetPattern(first))
        rules.set(more, for: try TargetPattern("*ab@\(sip)"))
        let expected = decisions[max(left, right)]
        #expect(rules.verdict(on: "ab@\(sip)").decision == (expected == .deny ? nil : expected))
      }
    }
  }

  @Test("A pattern costs its length and that of the address, whatever they repeat")
  func cost() throws {
    // Each of these would be compared from each place on: half a billion steps for one address.
    var rules = TargetRules()
    let run = String(repeating: "a", count: 500)
    for index in 0..<256 {
      rules.set(.deny, for: try TargetPattern("*\(run)b*\(run)b*\(index)@\(sip)"))
    }
    let address = "\(String(repeating: "a", count: 1023))@\(sip)"
    let clock = ContinuousClock()
    let spent = clock.measure { #expect(rules.verdict(on: address) == .hidden) }
    #expect(spent < .milliseconds(250))
  }

  @Test("Each pattern means what a slow comparison says that it means")
  func slowly() throws {
    var random = SplitMix64(seed: 7)
    for _ in 0..<20_000 {
      func text(_ letters: String, _ most: Int) -> String {
        String((0..<Int.random(in: 1...most, using: &random)).compactMap { _ in letters.randomElement(using: &random) })
      }
      let (pattern, address) = ("\(text("ab*", 9))*", text("ab", 12))
      let isMeant = try TargetPattern(pattern).matches(Array(address.utf8))
      #expect(isMeant == GatewayMayKnow.matches(Array(pattern), Array(address)), "\(pattern) and \(address)")
      if isMeant != GatewayMayKnow.matches(Array(pattern), Array(address)) { return }
    }
  }

  @Test("There are at most 256 rules with an asterisk, and exact ones beside them")
  func limit() throws {
    var rules = DecloakRules()
    for index in 0..<256 { try rules.set(.allow, for: .target(TargetPattern("*\(index)@\(sip)"))) }
    #expect(throws: DecloakError.self) { try rules.set(.allow, for: .target(TargetPattern("*a@\(sip)"))) }
    try rules.set(.deny, for: .target(TargetPattern("*1@\(sip)")))
    try rules.set(.allow, for: .target(TargetPattern("a@\(sip)")))
    try rules.set(nil, for: .target(TargetPattern("*0@\(sip)")))
    try rules.set(.allow, for: .target(TargetPattern("*a@\(sip)")))
    #expect(rules.targets.verdict(on: "1@\(sip)") == .hidden)
    #expect(DecloakRules(rules.all) == rules)
  }
}

extension TargetRules.Verdict {
  /// What a rule says that shows an address.
  var decision: RuleDecision? { if case .shown(let rule) = self { rule.decision } else { nil } }
}
