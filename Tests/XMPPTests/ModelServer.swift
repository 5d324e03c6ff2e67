// SPDX-License-Identifier: Apache-2.0

import XML

/// A server that counts stanzas and keeps its session over lost connections, as XEP-0198 has it and as simply as can be.
struct ModelServer {
  /// The ids of the stanzas that it has taken, in order.
  private(set) var taken: [String] = []
  /// What is to go to the client.
  private(set) var output: [UInt8] = []
  /// Whether the client has ended the session.
  private(set) var isOver = false
  private var count: UInt32 = 0
  private var confirmed: UInt32 = 0
  private var unconfirmed: [String] = []
  private var isConnected = false
  private var parser = StreamParser()

  /// A server whose counts begin where they are told.
  init(count: UInt32 = 0, confirmed: UInt32 = 0) {
    self.count = count
    self.confirmed = confirmed
    connect()
  }

  /// A new connection, of which all is negotiated but the session.
  mutating func connect() {
    output = []
    isConnected = false
    parser = StreamParser()
    _ = parser.feed(Array("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>".utf8))
  }

  mutating func send(_ id: String) {
    unconfirmed.append(id)
    if isConnected { say(Self.stanza(id)) }
  }

  mutating func ask() {
    if isConnected { say("<r xmlns='urn:xmpp:sm:3'/>") }
  }

  mutating func takeOutput(_ most: Int) -> [UInt8] {
    defer { output.removeFirst(min(most, output.count)) }
    return Array(output.prefix(most))
  }

  mutating func received(_ bytes: [UInt8]) {
    for event in parser.feed(bytes) {
      switch event {
      case .stanza(let element): received(element)
      case .closed, .failed: isOver = true
      case .opened: break
      }
    }
  }

  private mutating func received(_ element: Element) {
    let number = element.attribute("h").flatMap { UInt32($0) } ?? 0
    switch (element.namespace, element.name) {
    case ("jabber:client", _):
      count &+= 1
      taken.append(element.attribute("id") ?? "")
    case (_, "enable"):
      isConnected = true
      say("<enabled xmlns='urn:xmpp:sm:3' id='some-id' resume='true'/>")
    case (_, "r"): say("<a xmlns='urn:xmpp:sm:3' h='\(count)'/>")
    case (_, "a"): confirm(number)
    case (_, "resume"):
      isConnected = true
      confirm(number)
      say("<resumed xmlns='urn:xmpp:sm:3' h='\(count)' previd='some-id'/>")
      for id in unconfirmed { say(Self.stanza(id)) }
    default: isOver = true
    }
  }

  private mutating func confirm(_ number: UInt32) {
    let news = Int(number &- confirmed)
    guard news <= unconfirmed.count else { return isOver = true }
    unconfirmed.removeFirst(news)
    confirmed = number
  }

  private mutating func say(_ text: String) { output += Array(text.utf8) }

  private static func stanza(_ id: String) -> String {
    switch id.utf8.count % 3 {
    case 0: "<message id='\(id)' from='a@b/c'><body>&lt;a h='1'/&gt;</body></message>"
    case 1: "<presence id='\(id)' from='a@b/c'/>"
    default: "<iq type='get' id='\(id)' from='a@b/c'><query xmlns='urn:x'/></iq>"
    }
  }
}
