// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML
internal import XMPP

/// Questions that were handed to handlers and wait for an answer. Whoever asked gets one in any case.
@LoopActor
final class HandedIQs {
  /// Questions that wait.
  nonisolated static let most = 128
  /// Of these, those of one contact.
  nonisolated static let mostPerContact = 16
  /// Bytes of all of them.
  nonisolated static let mostBytes = 1 << 20
  /// How long a handler has. Those who ask give up soon after.
  nonisolated static let limit = Duration.seconds(30)

  /// A question, as it was asked.
  struct Question {
    let iq: IQ
    let raw: Element
    let client: String
    fileprivate let bytes: Int
    fileprivate let deadline: MonotonicTime
  }

  /// Told of a question that nobody answers.
  var onUnanswered: @LoopActor (Question) -> Void = { _ in }

  private var waiting: [String: Question] = [:]
  private var bytes = 0
  private var timer: TimerToken?
  private let time: any TimeSource

  init(time: any TimeSource) { self.time = time }

  /// Keeps a question for `client` to answer.
  /// - Returns: what the answer has to name; `nil` when too many wait already.
  func keep(_ iq: IQ, _ raw: Element, for client: String) -> String? {
    let size = raw.writtenBytes
    guard waiting.count < Self.most, bytes + size <= Self.mostBytes,
      waiting.values.count(where: { $0.iq.from?.bare == iq.from?.bare }) < Self.mostPerContact
    else { return nil }
    let id = RandomName.make()
    waiting[id] = Question(iq: iq, raw: raw, client: client, bytes: size, deadline: time.now + Self.limit)
    bytes += size
    arm()
    return id
  }

  /// The question that `client` is about to answer; `nil` where none of its questions has that id.
  func question(_ id: String, of client: String) -> Question? {
    waiting[id].flatMap { $0.client == client ? $0 : nil }
  }

  /// The question is answered.
  func settle(_ id: String) {
    guard let question = waiting.removeValue(forKey: id) else { return }
    bytes -= question.bytes
  }

  /// The client is gone: nobody answers.
  func leave(to client: String) { giveUp { $0.client == client } }

  /// The session is over, and nobody can be answered.
  func removeAll() {
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
