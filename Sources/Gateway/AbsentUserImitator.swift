// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import EventLoop
internal import XML
internal import XMPP

/// Answers stanzas in the place of users that there are not: in their order, and where the server's answer is not known
/// yet, after it has been asked. It is asked when the stream is new, and once for each language that somebody brings up.
@LoopActor
final class AbsentUserImitator {
  /// Takes a question for the server.
  var ask: @LoopActor (Element) -> Void = { _ in }
  /// Takes what goes back to somebody.
  var answer: @LoopActor (Element) -> Void = { _ in }

  /// How many languages are learned on one stream. Others ask in them, so there is a limit; those that come later get the
  /// words of whoever names no language.
  static let mostLanguages = 64
  /// What `xml:lang` can be at its longest (RFC 5646 §4.4.1 asks for 35); another is no language.
  static let longestLanguage = 35
  /// For how long the server is waited for.
  static let patience = Duration.seconds(5)
  /// As many stanzas as wait; those in front are then answered with what is known. Others send them, so there is a limit.
  static let mostWaiting = 64
  /// As many bytes of them.
  static let mostWaitingBytes = 1 << 20

  /// What the server says in each language; whoever names none has the empty one.
  private var known: [String: AbsentUser] = [:]
  /// Who asks, an address of ours that nobody else has heard of; where our server has its users; and whether others serve
  /// our domain, too.
  private var served: (own: JID, parent: String, isShared: Bool)?
  /// Who is not there, and answers us.
  private var user: BareJID?
  private var lesson: Lesson?
  private var timer: TimerToken?
  private var waiting: [(stanza: Stanza, raw: Element)] = []
  private var waitingBytes = 0
  private let time: any TimeSource

  /// What is being learned, for which language.
  private enum Lesson {
    case user(AbsentUserSearch, String)
    case answers(AbsentUserProbe)

    var language: String {
      switch self {
      case .user(_, let language): language
      case .answers(let probe): probe.language
      }
    }
  }

  init(time: any TimeSource) { self.time = time }

  /// Begins anew on a new stream.
  /// - Parameters:
  ///   - domain: ours.
  ///   - parent: where our server has its users.
  ///   - isShared: whether others serve our domain, too.
  func begin(domain: BareJID, parent: String, isShared: Bool) {
    end()
    if parent != domain.domain, let own = try? JID("\(RandomName.make())@\(domain)") {
      served = (own, parent, isShared)
    }
    learn("")
  }

  /// Forgets all that belongs to a stream.
  func end() {
    settle()
    (served, user) = (nil, nil)
    known.removeAll()
    waiting.removeAll()
    waitingBytes = 0
  }

  /// Whether a stanza came because of our own questions, and means nothing to anybody else.
  func note(_ raw: Element, to: JID) -> Bool {
    guard let served, to == served.own else { return false }
    switch lesson {
    case .user(let search, let language):
      guard let found = search.note(raw) else { break }
      settle()
      user = found
      learn(language)
    case .answers(var probe):
      let learned = probe.note(raw)
      lesson = .answers(probe)
      if let learned { finish(learned) }
    case nil: break
    }
    return true
  }

  /// Takes a stanza.
  func received(_ stanza: Stanza, _ raw: Element) {
    waiting.append((stanza, raw))
    waitingBytes += raw.storedBytes
    while waiting.count > Self.mostWaiting || waitingBytes > Self.mostWaitingBytes { answerFirst() }
    goOn()
  }

  private func goOn() {
    while lesson == nil, let (_, raw) = waiting.first {
      let language = language(of: raw)
      guard known[language] != nil || known.count > Self.mostLanguages || known[""]?.hasText != true else {
        learn(language)
        continue
      }
      answerFirst()
    }
  }

  private func answerFirst() {
    guard !waiting.isEmpty else { return }
    let (stanza, raw) = waiting.removeFirst()
    waitingBytes -= raw.storedBytes
    let absent = known[language(of: raw)] ?? known[""] ?? AbsentUser()
    if let element = absent.answer(to: stanza, raw) { answer(element) }
  }

  private func language(of raw: Element) -> String {
    let language = raw.ownLanguage ?? ""
    return language.utf8.count <= Self.longestLanguage ? language : ""
  }

  // MARK: Learning

  private func learn(_ language: String) {
    guard let served,
      let search = AbsentUserSearch(from: served.own, parent: served.parent, isShared: served.isShared)
    else { return known[language] = known[""] ?? AbsentUser() }
    user = user ?? search.found
    if let probe = user.flatMap({ AbsentUserProbe(from: served.own, user: $0, language: language) }) {
      begin(.answers(probe), probe.questions)
    } else {
      begin(.user(search, language), search.questions)
    }
  }

  private func begin(_ lesson: Lesson, _ questions: [Element]) {
    self.lesson = lesson
    timer = time.schedule(after: Self.patience) { [weak self] in
      self?.timer = nil
      self?.finish(nil)
    }
    for question in questions { ask(question) }
  }

  /// Goes on with what was learned, or without it: it is not asked twice. Whoever did not answer is not asked again either.
  private func finish(_ learned: AbsentUser?) {
    guard let lesson else { return }
    settle()
    if learned == nil { user = nil }
    known[lesson.language] = learned ?? known[""] ?? AbsentUser()
    goOn()
  }

  private func settle() {
    lesson = nil
    if let timer { time.cancel(timer) }
    timer = nil
  }
}
