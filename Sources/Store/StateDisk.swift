// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What takes a disk's time, off the loop: ``StateLog`` says when.
protocol StateDisk: Sendable {
  /// Waits until the log is on the disk.
  /// - Returns: what went wrong.
  func sync() -> StoreError?
  /// Writes the log into the database. One at a time.
  /// - Returns: what went wrong.
  func checkpoint() -> StoreError?
  /// Lets go of the files.
  func close()
}

/// The log of a database that another connection writes to.
///
/// Sendable: a descriptor may be synced from any thread, and one checkpoint runs at a time.
final class StateFiles: StateDisk, @unchecked Sendable {
  private let path: String
  private let descriptor: Int32
  private let database: Database

  /// - Parameter path: of the database, which is open already: the log is there.
  init(_ path: String) throws(StoreError) {
    let log = "\(path)-wal"
    // No descriptor of the database itself: closing one drops the locks that this process has on it.
    let descriptor = open(log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw StoreError(errno, on: log, toDo: "opened") }
    do throws(StoreError) {
      database = try Database(path)
      try database.startLog(checkpointsItself: false)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
    self.path = log
    self.descriptor = descriptor
  }

  func sync() -> StoreError? {
    fdatasync(descriptor) == 0 ? nil : StoreError(errno, on: path, toDo: "made durable before a restart")
  }

  func checkpoint() -> StoreError? {
    do throws(StoreError) {
      try database.checkpoint()
      return nil
    } catch {
      return error
    }
  }

  func close() {
    database.close()
    Glibc.close(descriptor)
  }
}
