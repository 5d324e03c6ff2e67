// SPDX-License-Identifier: Apache-2.0

/// The isolation domain of everything that runs on the loop's thread.
///
/// There is one thread, one loop and one actor. Whatever is marked `@LoopActor` needs no locks and cannot race;
/// what blocks goes through ``offLoop(_:)``.
@globalActor
public actor LoopActor {
  /// The actor.
  public static let shared = LoopActor()

  /// Runs every job of this actor on the loop's thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { LoopExecutor.shared.asUnownedSerialExecutor() }

  /// Calls `body` as code of this actor, from a C callback that is known to run on the loop's thread.
  ///
  /// Global actors other than the main actor have no such function in the standard library. The cast takes the
  /// isolation out of the closure's type after the thread was checked; a wrong thread ends the process.
  public nonisolated static func assumeIsolated<Result>(_ body: @LoopActor () throws -> Result) rethrows -> Result {
    LoopExecutor.shared.checkIsolated()
    return try withoutActuallyEscaping(body) { body in
      try unsafeBitCast(body, to: (() throws -> Result).self)()
    }
  }
}

/// Starts a task on the loop. The only place where the daemon makes one: a bare `Task { }` would resume every
/// continuation through the global thread pool first.
@discardableResult
public func spawn(_ body: @escaping @LoopActor @Sendable () async -> Void) -> Task<Void, Never> {
  Task(executorPreference: LoopExecutor.shared) { await body() }
}
