// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XML
internal import XMPP

/// Questions of the server's own (XEP-0199), whose answers prove that what was said before has arrived. Any answer will do:
/// also that there will be none.
@LoopActor
final class Fences {
  private final class Fence {
    var missing: Set<String>
    let continuation: CheckedContinuation<Bool, Never>
    var timer: TimerToken?

    init(_ missing: Set<String>, _ continuation: CheckedContinuation<Bool, Never>) {
      self.missing = missing
      self.continuation = continuation
    }
  }

  private let domain: String
  private let time: any TimeSource
  private var pending: [String: Fence] = [:]
  private var asked = 0

  init(domain: String, time: any TimeSource) {
    self.domain = domain
    self.time = time
  }

  /// Asks streams.
  /// - Returns: whether all have answered before `limit` was over.
  func ask(_ streams: [ServerStream], within limit: Duration) async -> Bool {
    guard !streams.isEmpty else { return true }
    return await withCheckedContinuation { continuation in
      let questions = streams.map { stream in
        asked += 1
        return (id: "fence-\(asked)", stream: stream)
      }
      let fence = Fence(Set(questions.map(\.id)), continuation)
      for question in questions { pending[question.id] = fence }
      fence.timer = time.schedule(after: limit) { [self] in finish(fence, false) }
      for (id, stream) in questions {
        let ping = Element("ping", "urn:xmpp:ping")
        stream.send(
          Element(
            "iq", clientNamespace, ["from": domain, "to": stream.jid?.description, "id": id, "type": "get"],
            children: [ping]))
      }
    }
  }

  /// Takes what a client said, where it is an answer.
  func isAnswer(_ stanza: Element) -> Bool {
    guard stanza.name == "iq", !stanza.mayFail, let id = stanza.attribute("id"),
      let fence = pending.removeValue(forKey: id)
    else { return false }
    fence.missing.remove(id)
    if fence.missing.isEmpty { finish(fence, true) }
    return true
  }

  private func finish(_ fence: Fence, _ isComplete: Bool) {
    if let timer = fence.timer { time.cancel(timer) }
    for id in fence.missing { pending[id] = nil }
    fence.continuation.resume(returning: isComplete)
  }
}
