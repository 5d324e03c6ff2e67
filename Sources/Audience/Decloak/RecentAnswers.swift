// SPDX-License-Identifier: Apache-2.0

/// The last answers given to requests, so that the second of two clients learns that it came second.
struct RecentAnswers: Sendable {
  private var outcomes: [String: RequestOutcome] = [:]
  private var order: [String] = []

  subscript(id: String) -> RequestOutcome? { outcomes[id] }

  mutating func remember(_ id: String, _ outcome: RequestOutcome) {
    if outcomes.updateValue(outcome, forKey: id) == nil { order.append(id) }
    if order.count > Limits.rememberedAnswers { outcomes[order.removeFirst()] = nil }
  }
}
