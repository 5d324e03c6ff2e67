// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// The log of `state.db` on its way to the disk, off the loop: the calls that wrote to it did not wait for that.
@LoopActor
final class StateLog {
  /// After this many pages the log is written into the database.
  nonisolated static let mostPages = 1_000

  /// Called when the log could not be made durable, or could not be written into the database and goes on growing.
  var onFault: @LoopActor (StoreError) -> Void = { _ in }

  private let disk: any StateDisk
  /// Changes so far, and how many of them are on the disk.
  private var changes: UInt64 = 0
  private var durable: UInt64 = 0
  private var sync: Sync?
  private var checkpoint: Task<Void, Never>?
  private var checkpointAt = StateLog.mostPages

  init(_ disk: any StateDisk) { self.disk = disk }

  /// Takes note of a change.
  /// - Parameter pages: how long the log is with it.
  func changed(pages: Int) {
    changes += 1
    // It begins anew once all of it is in the database.
    if pages < Self.mostPages { checkpointAt = Self.mostPages }
    guard pages >= checkpointAt, checkpoint == nil else { return }
    checkpointAt = pages + Self.mostPages
    checkpoint = spawn { [self] in
      let failure = await offLoop { [disk] in disk.checkpoint() }
      checkpoint = nil
      if let failure { onFault(failure) }
    }
  }

  /// Returns when all changes up to now are on the disk. Those who wait at the same time share the work.
  /// - Throws: ``StoreError``, once and for all: what the system could not write it may have dropped.
  func flush() async throws(StoreError) {
    let wanted = changes
    while durable < wanted {
      let running = sync ?? start()
      await running.task?.value
      // One that had begun before our change has nothing to say about it, unless it failed.
      if let failure = running.failure { throw failure }
    }
  }

  private func start() -> Sync {
    let started = Sync()
    let upTo = changes
    sync = started
    started.task = spawn { [self] in
      started.failure = await offLoop { [disk] in disk.sync() }
      if let failure = started.failure { return onFault(failure) }  // it stays, and with it the failure
      durable = upTo
      sync = nil
    }
    return started
  }

  /// Returns when what is under way is done.
  func settle() async {
    await sync?.task?.value
    await checkpoint?.value
  }

  /// Lets go of the files when nobody works on them any more.
  func close() async {
    await settle()
    await offLoop { [disk] in disk.close() }
  }

  @LoopActor
  private final class Sync {
    var task: Task<Void, Never>?
    var failure: StoreError?
  }
}
