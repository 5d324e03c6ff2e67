// SPDX-License-Identifier: Apache-2.0

/// Why no server was found.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds, for code that decides what to do.
  public enum Code: Hashable, Sendable {
    /// It is not to be found or not to be reached.
    case network
    /// Nobody answered in time.
    case timedOut
    /// It is another machine, and no TLS is wanted.
    case notThisMachine
    /// The search was stopped.
    case cancelled
  }

  /// The kind.
  public let code: Code
  /// What was wrong and what to do, for people.
  public let description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
