// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// When to find out whether the server is still there, and when to give it up; event by event, no I/O.
///
/// Between two deadlines nothing happens, and traffic moves a deadline without waking anybody. While an answer is owed
/// the server is asked after ten seconds of silence and given up before thirty are over. A server that keeps talking is alive,
/// whatever it owes: the answer may stand behind much else.
struct KeepAlive {
  /// For how long a server may be silent while it owes an answer. What is said first is only asked about a second later,
  /// and who spoke is to know within thirty.
  static let patience = Duration.seconds(28)
  /// The same after something happened that may have cut the connection.
  static let urgentPatience = Duration.seconds(10)
  /// After how long a silence the server itself is asked, while somebody else may be the one who does not answer.
  static let silenceBeforeAsking = Duration.seconds(10)
  /// A timer that is so late tells of a machine that was asleep, not of a server that was silent.
  static let lateness = Duration.seconds(5)
  /// How many questions are remembered; an account has no more under way.
  static let mostQuestions = 256

  /// What is to be done at a deadline.
  enum Action: Hashable {
    /// Send white space (RFC 6120 §4.6.1): the server was heard lately, but routers want to see us too.
    case blank
    /// Send something that the server has to answer, and report ``KeepAlive/asked(_:at:)``.
    case ask(Reason)
    /// The server is gone.
    case giveUp
  }

  /// Why the server was asked.
  enum Reason: Hashable {
    /// Nothing was said for as long as the rhythm has it.
    case idle
    /// A question has no answer, or something happened.
    case silence
    /// To know what it has had.
    case management
  }

  private(set) var rhythm: KeepAliveRhythm
  private var lastSent: MonotonicTime
  private var lastHeard: MonotonicTime
  /// The ids of questions, to anybody, without an answer.
  private var questions: Set<String> = []
  /// What the server itself has to answer.
  private var asked: Reason?
  /// Since when what is owed could have come.
  private var owedSince: MonotonicTime
  private var limit = patience

  /// A connection on which something was heard just now.
  init(_ rhythm: KeepAliveRhythm, at now: MonotonicTime) {
    self.rhythm = rhythm
    lastSent = now
    lastHeard = now
    owedSince = now
  }

  // MARK: What happens

  /// Something was sent.
  mutating func sent(at now: MonotonicTime) { lastSent = now }

  /// A question was sent, to the server or to anybody else.
  mutating func sentQuestion(_ id: String, at now: MonotonicTime) {
    guard questions.count < Self.mostQuestions else { return }
    if !isOwed { owe(at: now) }
    questions.insert(id)
  }

  /// The server was asked for something that it has to answer itself.
  mutating func asked(_ reason: Reason, at now: MonotonicTime) {
    if !isOwed { owe(at: now) }
    asked = asked ?? reason
    lastSent = now
  }

  /// A question was answered.
  mutating func answered(_ id: String) { questions.remove(id) }

  /// The server has answered what it was asked for.
  mutating func answered() {
    switch asked {
    case .idle: rhythm.worked()
    // The server is there: what is still without an answer waits for somebody else.
    case .silence: questions = []
    case .management, nil: break
    }
    asked = nil
  }

  /// Something came, whatever it is.
  mutating func heard(at now: MonotonicTime) {
    lastHeard = now
    if isOwed { owe(at: now) }
  }

  /// Something happened that may have cut the connection.
  /// - Returns: what is to be done at once.
  mutating func check(at now: MonotonicTime) -> Action {
    let soon = now + Self.urgentPatience
    if !isOwed || deadlineOfPatience > soon {
      owedSince = now
      limit = Self.urgentPatience
    }
    asked = asked ?? .silence
    return .ask(.silence)
  }

  /// The connection was cut.
  mutating func cut() {
    if asked == .idle { rhythm.failed() }
  }

  // MARK: Deadlines

  /// When to call ``timePassed(at:)``.
  var deadline: MonotonicTime {
    guard isOwed else { return min(lastSent, lastHeard) + rhythm.interval }
    return asked == nil ? min(owedSince + Self.silenceBeforeAsking, deadlineOfPatience) : deadlineOfPatience
  }

  /// - Returns: what is to be done; nil while it is too early.
  mutating func timePassed(at now: MonotonicTime) -> Action? {
    let deadline = deadline
    guard now >= deadline else { return nil }
    guard isOwed else {
      if now - lastHeard < rhythm.interval / 2 { return .blank }
      // A silence that we have broken meanwhile says nothing about how long one may be.
      return .ask(now - max(lastSent, lastHeard) >= rhythm.interval ? .idle : .silence)
    }
    guard asked != nil else { return .ask(.silence) }
    guard now - deadline < Self.lateness else {
      owedSince = now
      limit = Self.urgentPatience
      return .ask(.silence)
    }
    cut()
    return .giveUp
  }

  private var isOwed: Bool { asked != nil || !questions.isEmpty }
  private var deadlineOfPatience: MonotonicTime { owedSince + limit }

  private mutating func owe(at now: MonotonicTime) {
    owedSince = now
    limit = Self.patience
  }
}
