// SPDX-License-Identifier: Apache-2.0

/// Why the embedded server cannot start.
public struct LoopbackError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was wrong and what to do, for people.
  public let description: String

  init(_ description: String) { self.description = description }
}
