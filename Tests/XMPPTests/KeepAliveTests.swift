// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import XMPP

@Suite("Signs of life")
struct KeepAliveTests {
  static let start = MonotonicTime(nanoseconds: 0)

  private func at(_ seconds: Double) -> MonotonicTime { Self.start + .milliseconds(Int64(seconds * 1000)) }

  /// What a machine does by itself until `end`, with the seconds at which it does it. The server answers nothing.
  private func run(_ keepAlive: inout KeepAlive, until end: Double) -> [(Double, KeepAlive.Action)] {
    var log: [(Double, KeepAlive.Action)] = []
    while keepAlive.deadline <= at(end), log.last?.1 != .giveUp {
      let now = keepAlive.deadline
      guard let action = keepAlive.timePassed(at: now) else { break }
      log.append((Double(now.nanoseconds) / 1e9, action))
      switch action {
      case .blank: keepAlive.sent(at: now)
      case .ask(let reason): keepAlive.asked(reason, at: now)
      case .giveUp: break
      }
    }
    return log
  }

  private func expect(
    _ log: [(Double, KeepAlive.Action)], _ expected: [(Double, KeepAlive.Action)],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(log.map(\.0) == expected.map(\.0), sourceLocation: sourceLocation)
    #expect(log.map(\.1) == expected.map(\.1), sourceLocation: sourceLocation)
  }

  @Test("A silent connection is left alone for the interval, then the server is asked, and given up after 28 s more")
  func idleDeath() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    expect(run(&keepAlive, until: 1000), [(240, .ask(.idle)), (268, .giveUp)])
    #expect(keepAlive.rhythm.interval == .seconds(120))
  }

  @Test("While the server answers, it is asked ever more rarely")
  func growing() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    var waits: [Duration] = []
    var last = Self.start
    for _ in 0..<7 {
      let now = keepAlive.deadline
      waits.append(now - last)
      last = now
      #expect(keepAlive.timePassed(at: now) == .ask(.idle))
      keepAlive.asked(.idle, at: now)
      keepAlive.heard(at: now)
      keepAlive.answered()
    }
    #expect(waits == [240, 360, 540, 810, 1215, 1500, 1500].map { .seconds($0) })
  }

  @Test("A silence that was not survived is kept below, and tried again after a long time only")
  func learning() {
    var rhythm = KeepAliveRhythm()
    rhythm.worked()
    rhythm.worked()
    #expect(rhythm.interval == .seconds(540))
    rhythm.failed()
    #expect(rhythm.interval == .seconds(270))
    rhythm.worked()
    #expect(rhythm.interval == .seconds(405))
    for _ in 0..<19 { rhythm.worked() }
    #expect(rhythm.interval == .seconds(405))
    rhythm.worked()
    #expect(rhythm.interval == .milliseconds(607_500))
    for _ in 0..<10 { rhythm.failed() }
    #expect(rhythm.interval == .seconds(60))
  }

  @Test("Traffic moves the deadline")
  func traffic() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    keepAlive.sent(at: at(100))
    keepAlive.heard(at: at(100))
    #expect(keepAlive.deadline == at(340))
    #expect(keepAlive.timePassed(at: at(339)) == nil)
    #expect(keepAlive.timePassed(at: at(340)) == .ask(.idle))
  }

  @Test("A server that talks to us gets a blank, since routers want to see us too")
  func blank() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    keepAlive.heard(at: at(200))
    expect(run(&keepAlive, until: 450), [(240, .blank), (440, .ask(.silence))])
  }

  @Test("While a question waits, silence is noticed after 10 s and the server given up after 28 s")
  func question() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    keepAlive.sent(at: at(50))
    keepAlive.sentQuestion("a", at: at(50))
    expect(run(&keepAlive, until: 1000), [(60, .ask(.silence)), (78, .giveUp)])
    #expect(keepAlive.rhythm.interval == .seconds(240))
  }

  @Test("A question to somebody who never answers costs one look at the server")
  func slowPeer() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    keepAlive.sentQuestion("a", at: at(50))
    expect(run(&keepAlive, until: 61), [(60, .ask(.silence))])
    keepAlive.heard(at: at(61))
    keepAlive.answered()
    #expect(keepAlive.deadline == at(300))
  }

  @Test("Nothing is awaited any more once all is answered")
  func answers() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    keepAlive.sent(at: at(50))
    keepAlive.sentQuestion("a", at: at(50))
    keepAlive.sentQuestion("b", at: at(50))
    keepAlive.asked(.management, at: at(50))
    keepAlive.heard(at: at(51))
    keepAlive.answered("a")
    keepAlive.answered()
    #expect(keepAlive.deadline == at(61))
    keepAlive.heard(at: at(52))
    keepAlive.answered("b")
    #expect(keepAlive.deadline == at(290))
  }

  @Test("A server that keeps talking is not given up, whatever it owes")
  func busy() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    keepAlive.asked(.management, at: at(0))
    for second in stride(from: 0.0, to: 300, by: 25) { keepAlive.heard(at: at(second)) }
    expect(run(&keepAlive, until: 1000), [(303, .giveUp)])
  }

  @Test("When something may have cut the connection, it takes 10 s to know")
  func checking() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    #expect(keepAlive.check(at: at(5)) == .ask(.silence))
    keepAlive.asked(.silence, at: at(5))
    // Another change does not put it off.
    #expect(keepAlive.check(at: at(12)) == .ask(.silence))
    keepAlive.asked(.silence, at: at(12))
    expect(run(&keepAlive, until: 1000), [(15, .giveUp)])
    var owing = KeepAlive(KeepAliveRhythm(), at: Self.start)
    owing.asked(.management, at: at(0))
    _ = owing.check(at: at(25))
    #expect(owing.deadline == at(28))
    owing.heard(at: at(26))
    #expect(owing.deadline == at(54))
  }

  @Test("A machine that was asleep asks once more before it gives up")
  func asleep() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    keepAlive.asked(.management, at: at(0))
    #expect(keepAlive.timePassed(at: at(3600)) == .ask(.silence))
    keepAlive.asked(.silence, at: at(3600))
    expect(run(&keepAlive, until: 9999), [(3610, .giveUp)])
  }

  @Test("A connection that is cut when it is used after a silence has not survived it")
  func cutAfterSilence() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    keepAlive.cut()
    #expect(keepAlive.rhythm.interval == .seconds(240))
    keepAlive.asked(.idle, at: at(240))
    keepAlive.cut()
    #expect(keepAlive.rhythm.interval == .seconds(120))
  }

  @Test("No more questions are remembered than an account can have")
  func limit() {
    var keepAlive = KeepAlive(KeepAliveRhythm(), at: Self.start)
    for number in 0..<300 { keepAlive.sentQuestion(String(number), at: Self.start) }
    for number in 0..<256 { keepAlive.answered(String(number)) }
    #expect(keepAlive.deadline == at(240))
  }
}
