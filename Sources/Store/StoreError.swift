// SPDX-License-Identifier: Apache-2.0

/// Why something could not be kept, or read again.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure, for programs.
  public enum Code: Hashable, Sendable {
    /// The directory cannot be made, or is not one that only we write to.
    case directory
    /// Another daemon uses the directory.
    case inUse
    /// A file was written by a newer version of the program.
    case tooNew
    /// A file is not ours, or broken.
    case broken
    /// There is no room left.
    case full
    /// The file system, or the file, cannot be written to.
    case readOnly
    /// More than is kept for one account, or for one user.
    case limit
    /// Reading or writing failed.
    case failed
    /// The store has been closed.
    case closed
  }

  /// The kind of failure.
  public let code: Code
  /// What was wrong and what to do, for a person.
  public let message: String
  /// ``message``.
  public var description: String { message }

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
