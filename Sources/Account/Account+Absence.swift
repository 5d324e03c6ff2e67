// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

// What is to be known to look like somebody who is not there.

extension Account {
  /// Asks the server about a resource of ours that is not there. Until its answers are known, nobody outside gets one.
  func learnAbsence() async {
    doorkeeper.imitator.beginLearning()
    let serial = streamSerial
    let probe = await probeAbsence(language: nil) { $0.first(own: fullJID) }
    // On the next stream it is asked anew: what is not known here may be known there by now.
    guard streamSerial == serial else { return }
    doorkeeper.imitator.learned(probe?.learned ?? AbsentResource())
  }

  /// Learns what somebody's stanza asks for that was not asked about before.
  func learn(_ lesson: AbsentResource.Lesson) async {
    let imitator = doorkeeper.imitator
    let serial = streamSerial
    switch lesson {
    case .language(let language):
      let probe = await probeAbsence(language: language) { _ in [] }
      guard streamSerial == serial else { return }
      imitator.absence.remember((probe?.iqShape ?? imitator.absence.iq).error, in: language)
    case .passingMessages:
      var passing = AbsentResource.PassingMessages(learnedAt: now)
      if await !isKeepingAll(imitator.absence) {
        passing.unstored = await probeAbsence(language: nil) { [$0.unstored] }?.unstoredShape
        if passing.unstored != nil {
          passing.empty = await probeAbsence(language: nil) { [$0.empty] }?.emptyShape
        }
      }
      guard streamSerial == serial else { return }
      imitator.absence.passing = passing
    }
  }

  /// Whether our messages to ourselves would pile up at the server: one that keeps messages for later, and does not
  /// let the sender choose. Servers that echo what they bounce do; of others we know only what they announce
  /// (XEP-0160 §4).
  private func isKeepingAll(_ absence: AbsentResource) async -> Bool {
    guard absence.iq.echo == .none else { return false }
    let query = Element("query", DiscoInfo.namespace)
    let answer = try? await requests.send(.get, to: jid.server, payload: query, limit: Self.iqLimit)
    guard let info = answer?.payload.first.flatMap({ try? DiscoInfo($0) }) else { return true }
    return info.features.contains("msgoffline")
  }

  /// Puts questions to a resource of ours that is not there, and waits until all that comes back has come.
  private func probeAbsence(language: String?, _ questions: (AbsentProbe) -> [Stanza]) async -> AbsentProbe? {
    guard let absent = try? JID("\(jid)/\(RandomName.make())") else { return nil }
    let probe = AbsentProbe(jid: absent)
    absentProbe = probe
    defer { if absentProbe?.jid == absent { absentProbe = nil } }
    for question in questions(probe) { doorkeeper.send(question) }
    _ = try? await requests.exchange(
      .get, to: absent, payload: AbsentProbe.payload, language: language, limit: Self.iqLimit)
    return absentProbe?.jid == absent ? absentProbe : nil
  }
}
