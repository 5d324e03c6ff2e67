// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing
import XMPP

@Suite("Questions that wait for an answer")
struct IQTrackerTests {
  let later = MonotonicTime(nanoseconds: 10)

  private func tracker() throws -> IQTracker<String> {
    var tracker = IQTracker<String>(account: try BareJID("juliet@shakespeare.lit"))
    tracker.session = try FullJID("juliet@shakespeare.lit/balcony")
    return tracker
  }

  private func answer(_ id: String, from: String?, _ type: IQ.Kind = .result) throws -> IQ {
    var iq = IQ(type, to: nil, id: id)
    iq.from = try from.map { try JID($0) }
    return iq
  }

  @Test(
    "An answer counts from whom the question went to and from nobody else",
    arguments: [
      (nil, [nil, "juliet@shakespeare.lit", "juliet@shakespeare.lit/balcony", "shakespeare.lit"]),
      ("Juliet@shakespeare.lit", [nil, "juliet@shakespeare.lit", "juliet@shakespeare.lit/balcony", "shakespeare.lit"]),
      ("shakespeare.lit", [nil, "SHAKESPEARE.lit"]),
      ("tybalt@shakespeare.lit", ["tybalt@shakespeare.lit"]),
      ("tybalt@shakespeare.lit/garden", ["TYBALT@shakespeare.lit/garden"]),
      ("juliet@shakespeare.lit/balcony", ["juliet@shakespeare.lit/balcony"]),
    ] as [(String?, [String?])])
  func senders(to: String?, accepted: [String?]) throws {
    let everybody: [String?] = [
      nil, "juliet@shakespeare.lit", "juliet@shakespeare.lit/balcony", "juliet@shakespeare.lit/other",
      "shakespeare.lit", "tybalt@shakespeare.lit", "tybalt@shakespeare.lit/garden", "tybalt@shakespeare.lit/Garden",
      "evil.example",
    ]
    for from in everybody {
      var tracker = try tracker()
      let added = tracker.add(to: try to.map { try JID($0) }, deadline: later, "question")
      let id = try #require(added)
      let isAccepted = try accepted.contains { try $0.map { try JID($0) } == from.map { try JID($0) } }
      #expect(tracker.take(try answer(id, from: from)) == (isAccepted ? "question" : nil), "from \(from ?? "nobody")")
      #expect(tracker.count == (isAccepted ? 0 : 1))
    }
  }

  @Test("An answer counts once, with the right id, and a question is no answer")
  func once() throws {
    var tracker = try tracker()
    let added = tracker.add(to: nil, deadline: later, "question")
    let id = try #require(added)
    #expect(tracker.take(try answer(id + "0", from: nil)) == nil)
    #expect(tracker.take(try answer(id, from: nil, .get)) == nil)
    #expect(tracker.take(try answer(id, from: nil, .set)) == nil)
    #expect(tracker.take(try answer(id, from: nil, .error)) == "question")
    #expect(tracker.take(try answer(id, from: nil)) == nil)
  }

  @Test("The answer to a question that was not asked after all does not count")
  func forgotten() throws {
    var tracker = try tracker()
    let added = tracker.add(to: nil, deadline: later, "question")
    let id = try #require(added)
    tracker.forget(id)
    #expect(tracker.take(try answer(id, from: nil)) == nil)
    #expect(tracker.count == 0)
  }

  @Test("Ids have 128 bits and do not repeat")
  func ids() throws {
    var tracker = try tracker()
    let ids = (0..<100).compactMap { _ in tracker.add(to: nil, deadline: later, "") }
    #expect(Set(ids).count == 100)
    #expect(ids.allSatisfy { $0.utf8.count == 32 })
  }

  @Test("No more than 256 questions wait at once")
  func limit() throws {
    var tracker = try tracker()
    for number in 0..<256 { #expect(tracker.add(to: nil, deadline: later, "\(number)") != nil) }
    #expect(tracker.add(to: nil, deadline: later, "one more") == nil)
    #expect(tracker.takeAll().count == 256)
    #expect(tracker.add(to: nil, deadline: later, "again") != nil)
  }

  @Test("A question is given up at its deadline, earliest first")
  func deadlines() throws {
    var tracker = try tracker()
    let add = { (tracker: inout IQTracker<String>, deadline: Int64) in
      tracker.add(to: nil, deadline: MonotonicTime(nanoseconds: deadline), "\(deadline)")
    }
    _ = add(&tracker, 30)
    _ = add(&tracker, 10)
    let added = add(&tracker, 20)
    let id = try #require(added)
    #expect(tracker.nextDeadline == MonotonicTime(nanoseconds: 10))
    #expect(tracker.takeExpired(at: MonotonicTime(nanoseconds: 9)) == [])
    #expect(tracker.takeExpired(at: MonotonicTime(nanoseconds: 20)) == ["10", "20"])
    #expect(tracker.take(try answer(id, from: nil)) == nil)
    #expect(tracker.nextDeadline == MonotonicTime(nanoseconds: 30))
    #expect(tracker.takeAll() == ["30"])
    #expect(tracker.nextDeadline == nil)
  }
}
