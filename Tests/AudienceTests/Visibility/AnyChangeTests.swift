// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Audience

/// Plans, carried out one after the other at servers that do with each step what the real ones were seen to do.
@Suite("Whatever is wanted next")
struct AnyChangeTests {
  private static let contacts = (0..<4).map { BareAddress("c\($0)@capulet.example") }
  /// Every visibility that there is with four contacts.
  private static let all: [Visibility] = (0..<16).flatMap { bits in
    let exceptions = ContactSet(contacts.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element))
    return [true, false].map { Visibility(showsOthers: $0, exceptions: exceptions) }
  }

  /// A server, and what it does at the end of a stream that withdrew nothing.
  struct Kind: Sendable, CustomTestStringConvertible {
    let mechanism: Mechanism
    var rebinds = false
    var hasPrivacyLists = false
    var tellsAll = false
    var testDescription: String {
      "\(mechanism.rawValue)\(rebinds ? ", rebinding" : "")\(hasPrivacyLists ? ", has lists" : "")\(tellsAll ? ", tells all" : "")"
    }
  }

  static let kinds: [Kind] = [
    Kind(mechanism: .invisiblePresence), Kind(mechanism: .invisiblePresence, rebinds: true),
    Kind(mechanism: .invisibleCommand), Kind(mechanism: .invisibleCommand, rebinds: true),
    Kind(mechanism: .privacyList), Kind(mechanism: .privacyList, hasPrivacyLists: true, tellsAll: true),
    Kind(mechanism: .directed), Kind(mechanism: .directed, hasPrivacyLists: true, tellsAll: true),
  ]

  private func session(_ kind: Kind, in visibility: Visibility) -> SimulatedSession {
    // One of them is an exception at times and never subscribed.
    SimulatedSession(
      kind.mechanism, subscribers: Set(Self.contacts.dropLast()), in: visibility, rebinds: kind.rebinds,
      hasPrivacyLists: kind.hasPrivacyLists, tellsAll: kind.tellsAll)
  }

  @Test(
    "Every change from everything to everything shows us to nobody who may see us neither before nor after",
    arguments: kinds)
  func everyPair(_ kind: Kind) {
    for old in Self.all {
      for new in Self.all {
        var session = session(kind, in: old)
        session.change(to: new)
        session.sayPresence()
        session.close()
        if let wrong = session.wrong {
          Issue.record("\(wrong): from \(old) to \(new)")
          return
        }
      }
    }
  }

  @Test("Any sequence of changes leaves exactly those who may see us, and no stale presence", arguments: kinds)
  func anySequence(_ kind: Kind) throws {
    for seed in 0..<300 {
      var random = SplitMix64(seed: UInt64(seed))
      var session = session(kind, in: try #require(Self.all.randomElement(using: &random)))
      for _ in 0..<20 {
        session.change(to: try #require(Self.all.randomElement(using: &random)))
        if Bool.random(using: &random) { session.sayPresence() }
      }
      session.close()
      if let wrong = session.wrong {
        Issue.record("\(wrong) (seed \(seed))")
        return
      }
    }
  }
}
