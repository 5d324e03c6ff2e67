// SPDX-License-Identifier: Apache-2.0

/// What there is room for where many addresses share their limits.
struct SharedRoom: Hashable, Sendable {
  /// Whether one more question may be put to a person.
  let forQuestions: Bool
  /// Whether one more automatic answer may be told.
  let forAnswers: Bool
}

extension Decloak {
  /// Sessions that one address can have. Those of a gateway have a limit together, above which another one gives way.
  var mostSessions: Int { room == nil ? Limits.sessions : .max - Limits.requestersPerRequest }
  /// Askers that one address does not hear. Those of a gateway have a limit together, too, whose books tell which is first.
  var mostSilenced: Int { room == nil ? Limits.silenced : .max }
}
