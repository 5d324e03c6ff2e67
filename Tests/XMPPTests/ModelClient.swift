// SPDX-License-Identifier: Apache-2.0

import EventLoop
import XML

@testable import XMPP

/// An account that sends numbered stanzas over the machines of the real stream, and goes on with its session whenever
/// its connection is cut.
struct ModelClient {
  private enum State {
    case resuming(Script)
    case bound(BoundStream)
  }

  /// The ids of the stanzas that it was told of, in order.
  private(set) var taken: [String] = []
  /// What is to go to the server.
  private(set) var output: [UInt8] = []
  /// Why it can go on no more.
  private(set) var failure: String?
  private var state: State
  private var resumption: Resumption
  private var parser = Self.parser()
  /// What it would like to send, while there is no session.
  private var waiting: [SentStanza] = []
  /// Whether the stream has ended, without a word to the server.
  private(set) var isCut = false

  /// One whose counts begin where they are told; a new session where nothing is told.
  init(_ resumption: Resumption?, at now: MonotonicTime) throws {
    let none = try StreamManagementTests.resumption()
    self.resumption = resumption ?? none
    state = .bound(try Self.bound(nil, at: now))
    if resumption != nil {
      try connect()
    } else if case .bound(var bound) = state {
      perform(bound.enableManagement(at: now))
      state = .bound(bound)
    }
  }

  mutating func send(_ id: String, at now: MonotonicTime) throws {
    let stanza = SentStanza(Element("message", "jabber:client", ["id": id], text: "</message>"), isMeant: true)
    guard case .bound(var bound) = state, !isCut else { return waiting.append(stanza) }
    perform(bound.send(stanza, at: now))
    state = .bound(bound)
  }

  mutating func takeOutput(_ most: Int) -> [UInt8] {
    defer { output.removeFirst(min(most, output.count)) }
    return Array(output.prefix(most))
  }

  mutating func received(_ bytes: [UInt8], at now: MonotonicTime) throws {
    if case .bound(var bound) = state {
      bound.heard(at: now)
      state = .bound(bound)
    }
    for case .stanza(let element) in parser.feed(bytes) where !isCut { try received(element, at: now) }
  }

  mutating func pass(to now: MonotonicTime) {
    guard case .bound(var bound) = state, !isCut else { return }
    perform(bound.timePassed(at: now))
    state = .bound(bound)
  }

  /// The connection is gone: all that was on its way with it.
  mutating func cut(at now: MonotonicTime) throws {
    if case .bound(let bound) = state {
      // A session that the server has not agreed to keep is over with its first connection.
      guard let kept = bound.resumption(at: now) else { return failure = "there is no session" }
      resumption = kept
    }
    try connect()
  }

  private mutating func connect() throws {
    parser = Self.parser()
    isCut = false
    var script = try Script(resumption: resumption)
    try script.toBinding()
    state = .resuming(script)
    output = Array(
      try script.features(Script.bind + "<sm xmlns='urn:xmpp:sm:3'/>").joined().utf8)
    state = .resuming(script)
  }

  private mutating func received(_ element: Element, at now: MonotonicTime) throws {
    switch state {
    case .bound(var bound):
      perform(bound.received(element, at: now))
      state = .bound(bound)
    case .resuming(var script):
      for effect in script.negotiation.received(.element(element, isLast: true)) {
        guard case .resumed(_, let management, let lost, _, _) = effect else {
          failure = "not resumed: \(effect)"
          return
        }
        state = .bound(try Self.bound(management, at: now))
        let stanzas = lost + waiting
        waiting = []
        for stanza in stanzas { try send(stanza.element.attribute("id") ?? "", at: now) }
      }
    }
  }

  private mutating func perform(_ effects: [BoundStream.Effect]) {
    for effect in effects where !isCut {
      switch effect {
      case .send(let bytes): output += bytes
      case .deliver(let element): taken.append(element.attribute("id") ?? "")
      case .end(let end, _):
        isCut = true
        if end.code != .timedOut { failure = end.text }
      }
    }
  }

  private static func bound(_ management: StreamManagement?, at now: MonotonicTime) throws -> BoundStream {
    BoundStream(
      try FullJID("user@shakespeare.lit/x"), StreamFeatures(), management: management, rhythm: KeepAliveRhythm(),
      pingID: "ping", serverName: "shakespeare.lit", at: now)
  }

  private static func parser() -> StreamParser {
    let parser = StreamParser()
    _ = parser.feed(Array("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>".utf8))
    return parser
  }
}
