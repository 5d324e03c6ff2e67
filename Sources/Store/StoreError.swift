// SPDX-License-Identifier: Apache-2.0

internal import CSQLite
internal import Glibc

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
    /// More than is kept for one account.
    case limit
    /// Reading or writing failed.
    case failed
    /// The store has been closed.
    case closed
  }

  /// The kind of failure.
  public let code: Code
  /// What was wrong and what to do, for a person. It names files and no addresses.
  public let message: String
  /// ``message``.
  public var description: String { message }

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// A failure of SQLite's.
  /// - Parameters:
  ///   - result: its result code.
  ///   - system: the errno of the system call that failed, 0 if none did.
  ///   - path: of the database.
  ///   - detail: what SQLite says about it.
  init(_ result: Int32, _ system: Int32, of path: String, _ detail: String) {
    switch (result & 0xff, system) {
    case (SQLITE_FULL, _), (_, ENOSPC), (_, EDQUOT): self = Self.full(path)
    case (SQLITE_READONLY, _), (_, EROFS): self = Self.readOnly(path, detail)
    case (SQLITE_CORRUPT, _), (SQLITE_NOTADB, _): self = Self.broken(path, detail)
    case (SQLITE_BUSY, _), (SQLITE_LOCKED, _):
      self.init(.failed, "\(path) is held by another program for too long: close whatever looks into it.")
    default:
      let reason = system == 0 ? detail : "\(detail) (\(String(cString: strerror(system))))"
      self.init(.failed, "\(path) cannot be read or written: \(reason).")
    }
  }

  /// A system call on `path` that failed.
  init(_ system: Int32, on path: String, toDo verb: String) {
    switch system {
    case ENOSPC, EDQUOT: self = Self.full(path)
    case EROFS: self = Self.readOnly(path, String(cString: strerror(system)))
    default: self.init(.failed, "\(path) cannot be \(verb): \(String(cString: strerror(system))).")
    }
  }

  private static func full(_ path: String) -> StoreError {
    StoreError(.full, "There is no room left for \(path): make some where it is kept.")
  }

  private static func readOnly(_ path: String, _ detail: String) -> StoreError {
    StoreError(.readOnly, "\(path) cannot be written to (\(detail)): mount its file system for writing.")
  }

  static func broken(_ path: String, _ detail: String) -> StoreError {
    StoreError(
      .broken, "\(path) is no database of ours, or is broken (\(detail)): put a copy of it back, or move it away.")
  }
}
