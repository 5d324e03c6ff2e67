// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

/// Answers stanzas in the place of a resource that is not there: in their order, and where something is still to be
/// learned, after that.
@LoopActor
final class AbsenceImitator {
  /// What is known of the server's answers.
  var absence = AbsentResource()
  /// Asks the server; returns when the answer is in ``absence``.
  var learn: @LoopActor (AbsentResource.Lesson) async -> Void = { _ in }
  /// Told of each stanza in its turn, with what goes back; nothing where the server would be silent.
  var decide: @LoopActor (Stanza, Element, Element?) -> Void = { _, _, _ in }

  /// As many stanzas as wait; those in front are then answered with what is known. Others send them, so there is a
  /// limit.
  static let mostWaiting = 64
  /// As many bytes of them.
  static let mostWaitingBytes = 1 << 20

  private var waiting: [(stanza: Stanza, raw: Element)] = []
  private var waitingBytes = 0
  /// Counts those that are not waiting any more.
  private var answered: UInt64 = 0
  private var isLearning = false
  /// Counts what made all lessons before it worthless.
  private var serial: UInt64 = 0
  private let time: any TimeSource

  init(time: any TimeSource) { self.time = time }

  /// Lets everything wait until ``learned(_:)`` is called.
  func beginLearning() {
    serial += 1
    isLearning = true
  }

  /// What there is to be learned on a new stream has been.
  func learned(_ absence: AbsentResource) {
    self.absence = absence
    isLearning = false
    goOn()
  }

  /// Forgets what waits: the session that was asked is over.
  func forget() {
    serial += 1
    isLearning = false
    waiting.removeAll()
    waitingBytes = 0
  }

  /// Takes a stanza.
  func received(_ stanza: Stanza, _ raw: Element) {
    waiting.append((stanza, raw))
    waitingBytes += raw.storedBytes
    while waiting.count > Self.mostWaiting || waitingBytes > Self.mostWaitingBytes { answerFirst() }
    if !isLearning { goOn() }
  }

  private func goOn() {
    while let (stanza, raw) = waiting.first {
      if let lesson = absence.lesson(for: stanza, raw, at: Instant(nanoseconds: time.now.nanoseconds)) {
        isLearning = true
        let (serial, place) = (serial, answered)
        spawn {
          await self.learn(lesson)
          guard self.serial == serial else { return }
          self.isLearning = false
          // Also when nothing was learned: it is not asked twice.
          if self.answered == place { self.answerFirst() }
          self.goOn()
        }
        return
      }
      answerFirst()
    }
  }

  private func answerFirst() {
    guard !waiting.isEmpty else { return }
    let (stanza, raw) = waiting.removeFirst()
    waitingBytes -= raw.storedBytes
    answered += 1
    decide(stanza, raw, absence.answer(to: stanza, raw))
  }
}
