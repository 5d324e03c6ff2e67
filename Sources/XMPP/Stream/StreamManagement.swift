// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML

/// Which stanzas each side has had (XEP-0198 §4), event by event, no I/O.
///
/// Both sides count modulo 2³². What we send is kept until the server says that it had it. It is asked for that after
/// some stanzas, or once we have been silent for a moment, and by one request at a time: on a slow link the answer to
/// the last one sets the pace.
struct StreamManagement {
  /// How many stanzas may wait for the server's word.
  static let mostStanzas = 16_384
  /// How many bytes they may have.
  static let mostBytes = 8 << 20
  /// After how many stanzas the server is asked.
  static let stanzasBeforeAsking = 10
  /// After how long a silence of ours it is asked about fewer.
  static let silenceBeforeAsking = Duration.seconds(1)
  /// For how long a session is kept by a server that does not say.
  static let usualLifetime = Duration.seconds(600)
  /// XEP-0198 §5 has servers stay below 4,000 bytes.
  static let longestID = 4096

  /// What it takes to go on with the session.
  struct Key: Hashable {
    let id: String
    let location: String?
    let lifetime: Duration
  }

  /// Asks the server for management.
  static var request: Element { Element("enable", Namespace.management, ["resume": "true"]) }
  /// Asks the server how much it has had.
  static var question: Element { Element("r", Namespace.management) }

  /// Whether the server has agreed: until then only what we send is counted.
  private(set) var isEnabled: Bool
  private(set) var key: Key?
  /// How many of the server's stanzas we have had.
  private(set) var handled: UInt32 = 0
  /// How many of ours the server says that it had.
  private(set) var acknowledged: UInt32 = 0
  /// Whether the server was asked and has not answered.
  private(set) var isAsking = false
  private var queue = UnacknowledgedQueue()
  private var sentSinceAsking = 0
  private var lastSent = MonotonicTime(nanoseconds: 0)

  /// Counts from the moment at which ``request`` is sent.
  init() { isEnabled = false }

  /// Goes on where an earlier stream was cut; the server has had `acknowledged` of our stanzas.
  init(_ resumption: Resumption, acknowledged: UInt32) {
    isEnabled = true
    key = Key(id: resumption.id, location: resumption.location, lifetime: resumption.lifetime)
    handled = resumption.handled
    self.acknowledged = acknowledged
  }

  // MARK: What happens

  /// The server has agreed.
  mutating func enabled(_ answer: Element) {
    guard !isEnabled else { return }
    isEnabled = true
    guard answer.attribute("resume").map(Self.isTrue) == true, let id = answer.attribute("id"),
      (1...Self.longestID).contains(id.utf8.count)
    else { return }
    let seconds = answer.attribute("max").flatMap { UInt32($0) }
    key = Key(
      id: id, location: answer.attribute("location"),
      lifetime: seconds.map { .seconds(Int64($0)) } ?? Self.usualLifetime)
  }

  /// We sent a stanza of so many bytes.
  mutating func sent(_ stanza: SentStanza, bytes: Int, at now: MonotonicTime) {
    queue.append(stanza, bytes: bytes)
    sentSinceAsking += 1
    lastSent = now
  }

  /// The server sent a stanza.
  mutating func received() {
    if isEnabled { handled &+= 1 }
  }

  /// The server was asked.
  mutating func asked() {
    isAsking = true
    sentSinceAsking = 0
  }

  /// The server says how many stanzas it has had.
  /// - Returns: whether that can be.
  mutating func acknowledged(_ count: UInt32) -> Bool {
    let news = Int(count &- acknowledged)
    guard news <= queue.count else { return false }
    queue.removeFirst(news)
    acknowledged = count
    isAsking = false
    return true
  }

  // MARK: What can be asked of it

  /// Whether more waits for the server's word than can be kept.
  var isFull: Bool { queue.count > Self.mostStanzas || queue.bytes > Self.mostBytes }
  /// How many stanzas we have sent.
  var sent: UInt32 { acknowledged &+ UInt32(truncatingIfNeeded: queue.count) }
  /// How many of them wait for the server's word, and what they are, oldest first.
  var unacknowledgedCount: Int { queue.count }
  var unacknowledged: [SentStanza] { queue.stanzas }
  /// Tells the server how much we have had.
  var answer: Element { Element("a", Namespace.management, ["h": String(handled)]) }

  /// When the server is to be asked; nil while there is nothing to ask.
  var nextQuestion: MonotonicTime? {
    guard isEnabled, !isAsking, sentSinceAsking > 0, queue.count > 0 else { return nil }
    return sentSinceAsking >= Self.stanzasBeforeAsking ? lastSent : lastSent + Self.silenceBeforeAsking
  }

  /// What it takes to go on with the session on another connection; nil where the server does not keep it.
  func resumption(of jid: FullJID, at now: MonotonicTime) -> Resumption? {
    guard let key else { return nil }
    return Resumption(
      jid: jid, id: key.id, location: key.location, expiresAt: now + key.lifetime, handled: handled,
      acknowledged: acknowledged, unacknowledged: queue.stanzas, lifetime: key.lifetime)
  }

  /// A truth value of XML Schema.
  static func isTrue(_ text: String) -> Bool { text == "true" || text == "1" }
}

extension Resumption {
  /// Asks the server for the session.
  var request: Element {
    Element("resume", Namespace.management, ["h": String(handled), "previd": id])
  }

  /// What the server has not had, when it says that it had `count` stanzas in all; nil when that cannot be.
  func unacknowledged(after count: UInt32) -> [SentStanza]? {
    let news = Int(count &- acknowledged)
    return news <= unacknowledged.count ? Array(unacknowledged.dropFirst(news)) : nil
  }
}

/// What was sent and may still have to be sent again, oldest first.
private struct UnacknowledgedQueue {
  private var entries: [(stanza: SentStanza, bytes: Int)] = []
  private var first = 0
  private(set) var bytes = 0

  var count: Int { entries.count - first }
  var stanzas: [SentStanza] { entries[first...].map(\.stanza) }

  mutating func append(_ stanza: SentStanza, bytes: Int) {
    entries.append((stanza, bytes))
    self.bytes += bytes
  }

  /// Forgets the oldest. The rest is moved rarely: a server that confirms each stanza by itself must not cost more than
  /// one that confirms them together. What is not moved yet is small, as its content is gone.
  mutating func removeFirst(_ count: Int) {
    for index in first..<first + count {
      bytes -= entries[index].bytes
      entries[index] = (Self.nothing, 0)
    }
    first += count
    guard first * 2 >= entries.count else { return }
    entries.removeFirst(first)
    first = 0
  }

  private static let nothing = SentStanza(Element("nothing", ""), isMeant: false)
}
