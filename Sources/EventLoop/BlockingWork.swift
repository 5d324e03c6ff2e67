// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Runs `work` on another thread, for what would block the loop (a password's hash, a name look-up, fsync).
/// At most four such threads run at once; further work waits its turn.
public func offLoop<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
  await withCheckedContinuation { continuation in
    BlockingWork.shared.submit { continuation.resume(returning: work()) }
  }
}

/// A few threads that live as long as there is work.
final class BlockingWork: Sendable {
  static let shared = BlockingWork()
  private static let mostThreads = 4

  private struct State {
    var waiting: [@Sendable () -> Void] = []
    var threads = 0
  }
  private let state = Mutex(State())

  func submit(_ work: @escaping @Sendable () -> Void) {
    let needsThread = state.withLock { state in
      state.waiting.append(work)
      guard state.threads < Self.mostThreads else { return false }
      state.threads += 1
      return true
    }
    if needsThread { Self.thread { self.serve() } }
  }

  private func serve() {
    while true {
      let next = state.withLock { state -> (@Sendable () -> Void)? in
        if state.waiting.isEmpty {
          state.threads -= 1
          return nil
        }
        return state.waiting.removeFirst()
      }
      guard let next else { return }
      next()
    }
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts a detached thread. Where none can be had, the work is done by the caller: late is better than lost.
  static func thread(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    if failure == 0 { pthread_detach(thread) } else { box.takeRetainedValue().run() }
  }
}
