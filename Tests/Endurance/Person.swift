// SPDX-License-Identifier: Apache-2.0

import Support

/// An account in the hands of the program, whose connection breaks, and what was asked of it.
final class Person {
  let account: OurAccount
  let proxy: FaultProxy
  let isVisible: Bool
  /// Who asks it: somebody who may know that it is there.
  let asker: RawClient
  /// Its full JID when it last was connected.
  private(set) var fullJID = ""

  /// Questions and the full JID that they went to, until they count as answered or lost.
  private var open: [String: String] = [:]
  private var answered: Set<String> = []
  private var readOfAsker = 0
  private var serial = 0

  init(_ account: OurAccount, _ proxy: FaultProxy, isVisible: Bool, asker: RawClient) {
    self.account = account
    self.proxy = proxy
    self.isVisible = isVisible
    self.asker = asker
  }

  /// Takes note that it is connected.
  /// - Returns: whether its session is the one that it had before.
  func arrived() throws -> Bool {
    try account.connect()
    let earlier = fullJID
    fullJID = try account.fullJID()
    return fullJID == earlier
  }

  /// Asks it something.
  func ask(_ report: inout Report) throws {
    serial += 1
    let id = "\(account.user)-\(serial)"
    open[id] = fullJID
    report.questions += 1
    try asker.send("<iq type='get' id='\(id)' to='\(fullJID)'><ping xmlns='urn:xmpp:ping'/></iq>")
  }

  /// Has it ask the server for something, whatever comes of that.
  func expectAnswer() throws {
    _ = try account.begin(
      .Connection, "Subscribe", [.string("nobody@localhost"), .options(["reveal": .bool(true)])])
  }

  /// Counts what was answered; behind a fence whatever was asked of the present session must have been.
  func count(_ report: inout Report) {
    for received in asker.received.dropFirst(readOfAsker) {
      guard received.node.name == "iq", let id = received.node["id"], id.hasPrefix("\(account.user)-") else { continue }
      if !answered.insert(id).inserted {
        // What a session had not counted when the server gave it up is bounced, also where it had been answered.
        if received.node["type"] == "error", received.node["from"] != fullJID {
          report.bounced += 1
        } else {
          report.doubledAnswers += 1
          report.complain("answered twice: \(received.raw)")
        }
      }
      open[id] = nil
    }
    readOfAsker = asker.received.count
    for (id, asked) in open where asked == fullJID {
      report.lostAnswers += 1
      report.complain("never answered: \(id)")
      open[id] = nil
    }
  }

  /// Counts, at the very end, what was never answered by anybody.
  func countRest(_ report: inout Report) { report.unanswered += open.count }
}
