// SPDX-License-Identifier: Apache-2.0

/// The last answers given to requests, so that the second of two clients learns that it came second.
struct RecentAnswers: Sendable {
  /// What was answered, and to whom.
  struct Answer: Hashable, Sendable {
    let contact: BareAddress
    let outcome: RequestOutcome
  }

  private var answers: [String: Answer] = [:]
  private var order: [String] = []

  /// Whether there are none.
  var isEmpty: Bool { answers.isEmpty }

  subscript(id: String) -> Answer? { answers[id] }

  mutating func remember(_ request: DecloakRequest, _ outcome: RequestOutcome) {
    let answer = Answer(contact: request.contact, outcome: outcome)
    if answers.updateValue(answer, forKey: request.id) == nil { order.append(request.id) }
    if order.count > Limits.rememberedAnswers { answers[order.removeFirst()] = nil }
  }

  /// Forgets one.
  mutating func forget(_ id: String) {
    answers[id] = nil
    order.removeAll { $0 == id }
  }
}
