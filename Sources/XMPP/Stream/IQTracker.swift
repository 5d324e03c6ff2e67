// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import EventLoop

/// The questions that wait for an answer.
///
/// An answer counts only with the id of a question and from whom the question went to: ids cannot be guessed, and
/// one who saw an id cannot answer in another's name. Each question leaves exactly once: by ``take(_:)``,
/// ``takeExpired(at:)`` or ``takeAll()``.
public struct IQTracker<Context> {
  /// How many questions may wait at once.
  public static var mostOutstanding: Int { 256 }

  private struct Question {
    let to: JID?
    let deadline: MonotonicTime
    let context: Context
  }

  /// Our own session, once it is known.
  public var session: FullJID?
  private let account: BareJID
  private var questions: [String: Question] = [:]

  /// The questions of an account.
  public init(account: BareJID) { self.account = account }

  /// How many questions wait.
  public var count: Int { questions.count }

  /// The earliest deadline.
  public var nextDeadline: MonotonicTime? { questions.values.lazy.map(\.deadline).min() }

  /// Notes a question that is about to be sent.
  /// - Parameters:
  ///   - to: whom it goes to; nil for our own account.
  ///   - deadline: when to stop waiting.
  ///   - context: what to get back with the answer.
  /// - Returns: the id to send it with; nil when too many questions wait already.
  public mutating func add(to: JID?, deadline: MonotonicTime, _ context: Context) -> String? {
    guard questions.count < Self.mostOutstanding else { return nil }
    let id = Hex.encode(secureRandom(16))
    questions[id] = Question(to: to, deadline: deadline, context: context)
    return id
  }

  /// The question that `answer` answers; nil for an answer to nothing, or from somebody else.
  public mutating func take(_ answer: IQ) -> Context? {
    guard answer.type == .result || answer.type == .error, let question = questions[answer.id],
      isSender(answer.from, of: question.to)
    else { return nil }
    questions[answer.id] = nil
    return question.context
  }

  /// The questions whose time is over, earliest first.
  public mutating func takeExpired(at now: MonotonicTime) -> [Context] {
    let expired = questions.filter { $0.value.deadline <= now }.sorted { $0.value.deadline < $1.value.deadline }
    for (id, _) in expired { questions[id] = nil }
    return expired.map(\.value.context)
  }

  /// Forgets a question that was not asked after all.
  public mutating func forget(_ id: String) { questions[id] = nil }

  /// All questions; the stream they were asked on is over.
  public mutating func takeAll() -> [Context] {
    defer { questions = [:] }
    return questions.values.map(\.context)
  }

  /// Our server answers for our account in the account's name, in nobody's, or in the name of our session
  /// (RFC 6120 §8.1.2.1, RFC 3921 §11.1), and to some questions of that kind in its own.
  private func isSender(_ from: JID?, of to: JID?) -> Bool {
    guard let to, to != JID(account) else {
      guard let from else { return true }
      return from == account || from == account.server || session.map { from == $0 } ?? false
    }
    return from.map { $0 == to } ?? (to == account.server)
  }
}
