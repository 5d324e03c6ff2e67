// SPDX-License-Identifier: Apache-2.0

package import EventLoop
package import XML
package import XMPP

/// Questions that were handed to handlers and wait for an answer. Whoever asked gets one in any case.
@LoopActor
package final class HandedIQs {
  /// Questions that wait, of a person's account.
  package nonisolated static let most = 128
  /// Of these, those of one contact.
  package nonisolated static let mostPerContact = 16
  /// Bytes of all of them, for each that may wait.
  package nonisolated static let mostBytesEach = 8 << 10
  /// Bytes of those of one contact: a large one has room, and nobody takes all of it.
  package nonisolated static let mostBytesPerContact = 256 << 10
  /// How long a handler has. Those who ask give up soon after.
  package nonisolated static let limit = Duration.seconds(30)

  /// A question, as it was asked.
  package struct Question {
    package let iq: IQ
    package let raw: Element
    let client: String
    fileprivate let bytes: Int
    fileprivate let deadline: MonotonicTime
  }

  /// Told of a question that nobody answers.
  package var onUnanswered: @LoopActor (Question) -> Void = { _ in }

  private var waiting: [String: Question] = [:]
  private var bytes = 0
  private var timer: TimerToken?
  private let time: any TimeSource
  private let most: Int

  /// - Parameters:
  ///   - time: the clock.
  ///   - most: how many may wait.
  package init(time: any TimeSource, most: Int = most) {
    self.time = time
    self.most = most
  }

  /// Keeps a question for `client` to answer.
  /// - Returns: what the answer has to name; `nil` when too many wait already.
  package func keep(_ iq: IQ, _ raw: Element, for client: String) -> String? {
    let size = raw.writtenBytes
    let others = waiting.values.filter { $0.iq.from?.bare == iq.from?.bare }
    guard waiting.count < most, bytes + size <= most * Self.mostBytesEach, others.count < Self.mostPerContact,
      others.reduce(size, { $0 + $1.bytes }) <= Self.mostBytesPerContact
    else { return nil }
    let id = RandomName.make()
    waiting[id] = Question(iq: iq, raw: raw, client: client, bytes: size, deadline: time.now + Self.limit)
    bytes += size
    arm()
    return id
  }

  /// What `client` answers to a question of its own. The question waits until ``settle(_:)``.
  /// - Parameters:
  ///   - id: the question's.
  ///   - client: the program.
  ///   - isError: whether the answer is an error.
  ///   - payload: XML: nothing or one element; for an error nothing or the `<error/>`.
  /// - Throws: ``AccountError`` `noSuchRequest` where none of its questions has that id, or what is wrong with the payload.
  package func answer(
    to id: String, of client: String, isError: Bool, payload: String
  ) throws(AccountError) -> (question: Question, answer: IQ) {
    guard let question = waiting[id], question.client == client else {
      throw AccountError(
        .noSuchRequest,
        "No question \"\(id.prefix(100))\" waits for an answer of yours: it was answered, its time was over, or the "
          + "connection ended.")
    }
    if isError { return (question, question.iq.failure(try StanzaPayload.ofError(payload))) }
    return (question, question.iq.result(payload.isEmpty ? nil : try StanzaPayload.ofIQ(payload)))
  }

  /// The question is answered.
  package func settle(_ id: String) {
    guard let question = waiting.removeValue(forKey: id) else { return }
    bytes -= question.bytes
  }

  /// The client is gone: nobody answers.
  package func leave(to client: String) { giveUp { $0.client == client } }

  /// The session is over, and nobody can be answered.
  package func removeAll() {
    waiting.removeAll()
    bytes = 0
    if let timer { time.cancel(timer) }
    timer = nil
  }

  private func giveUp(_ isOver: (Question) -> Bool) {
    let over = waiting.filter { isOver($0.value) }.sorted { $0.value.deadline < $1.value.deadline }
    for (id, question) in over {
      settle(id)
      onUnanswered(question)
    }
  }

  private func arm() {
    guard timer == nil, let next = waiting.values.map(\.deadline).min() else { return }
    timer = time.schedule(after: max(.zero, next - time.now)) { [weak self] in self?.expire() }
  }

  private func expire() {
    timer = nil
    let now = time.now
    giveUp { $0.deadline <= now }
    arm()
  }
}
