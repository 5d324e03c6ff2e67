// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML
internal import XMPP

/// Questions to others, each with its answer or an error.
@LoopActor
final class IQRequests {
  private typealias Continuation = CheckedContinuation<Result<IQ, AccountError>, Never>

  private var tracker: IQTracker<Continuation>
  private var timer: (deadline: MonotonicTime, token: TimerToken)?
  /// The ids of the questions that were answered last.
  private var answered: [String] = []
  private static let mostAnswered = 32
  private let time: any TimeSource
  private let doorkeeper: Doorkeeper

  init(time: any TimeSource, account: BareJID, doorkeeper: Doorkeeper) {
    self.time = time
    self.doorkeeper = doorkeeper
    tracker = IQTracker(account: account)
  }

  /// Asks, and returns the answer whether it is a result or an error.
  /// - Parameters:
  ///   - type: get or set.
  ///   - to: whom; `nil` is our own account, for which the server answers.
  ///   - payload: the question.
  ///   - reveal: that the very call says that it may tell somebody outside that we are online.
  ///   - language: the language in which a person would like the answer; `nil` is the stream's.
  ///   - limit: how long to wait.
  /// - Throws: ``AccountError`` `timedOut`, `notConnected`, `limitExceeded` or `wouldReveal`.
  func exchange(
    _ type: IQ.Kind, to: JID?, payload: Element, reveal: Bool = false, language: String? = nil, limit: Duration
  ) async throws(AccountError) -> IQ {
    let result: Result<IQ, AccountError> = await withCheckedContinuation { continuation in
      let deadline = time.now + limit
      guard let id = tracker.add(to: to, deadline: deadline, continuation) else {
        return continuation.resume(
          returning: .failure(AccountError(.limitExceeded, "Too many questions wait for an answer already.")))
      }
      var question = IQ(type, to: to, id: id, payload: [payload])
      question.language = language
      do throws(AccountError) {
        try doorkeeper.send(.iq(question), reveal: reveal)
      } catch {
        tracker.forget(id)
        return continuation.resume(returning: .failure(error))
      }
      arm(deadline)
    }
    return try result.get()
  }

  /// As ``exchange(_:to:payload:reveal:language:limit:)``, for who wants the result only.
  /// - Throws: also ``AccountError`` `serverRefused`, naming the condition.
  func send(_ type: IQ.Kind, to: JID?, payload: Element, limit: Duration) async throws(AccountError) -> IQ {
    let answer = try await exchange(type, to: to, payload: payload, limit: limit)
    guard answer.type == .result else { throw AccountError.refused(answer, by: "The server") }
    return answer
  }

  /// An answer arrived.
  /// - Returns: whether somebody waited for it.
  func received(_ iq: IQ) -> Bool {
    guard let continuation = tracker.take(iq) else { return false }
    if answered.count == Self.mostAnswered { answered.removeFirst() }
    answered.append(iq.id)
    continuation.resume(returning: .success(iq))
    return true
  }

  /// Leaves out what has arrived although the server had no time to say so: it deals with stanzas in their order, so all
  /// that was sent before a question which is answered has.
  func unanswered(_ sent: [SentStanza]) -> [SentStanza] {
    let last = sent.lastIndex { $0.element.name == "iq" && $0.element.attribute("id").map(answered.contains) == true }
    return last.map { Array(sent[($0 + 1)...]) } ?? sent
  }

  /// The stream is gone.
  func cancelAll() {
    for continuation in tracker.takeAll() { continuation.resume(returning: .failure(.notConnected)) }
    if let timer { time.cancel(timer.token) }
    timer = nil
  }

  /// Keeps one timer, at or before the earliest deadline: an answer costs nothing here, and a timer that comes too
  /// early just looks again.
  private func arm(_ deadline: MonotonicTime) {
    if let timer {
      guard deadline < timer.deadline else { return }
      time.cancel(timer.token)
    }
    let token = time.schedule(after: max(.zero, deadline - time.now)) { [weak self] in self?.expire() }
    timer = (deadline, token)
  }

  private func expire() {
    timer = nil
    let error = AccountError(.timedOut, "No answer came in time.")
    for continuation in tracker.takeExpired(at: time.now) { continuation.resume(returning: .failure(error)) }
    if let next = tracker.nextDeadline { arm(next) }
  }
}

extension AccountError {
  /// Tells that `answer` is an error, and which.
  /// - Parameter who: begins the sentence.
  static func refused(_ answer: IQ, by who: String) -> AccountError {
    let condition = answer.error?.condition.rawValue ?? "undefined-condition"
    let text = answer.error?.text.map { " (\($0))" } ?? ""
    return AccountError(.serverRefused, "\(who) refused it: \(condition)\(text).")
  }
}
