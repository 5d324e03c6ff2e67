// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The one thread on which scenarios run. They block, which a thread of Swift's pool must not; and one after the other,
/// so that the load of one is not another's time-out.
public final class WitnessThread: TaskExecutor, @unchecked Sendable {
  /// It.
  public static let shared = WitnessThread()

  // The lock guards `jobs`; the condition says that there are some.
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [UnownedJob] = []

  private init() {
    pthread_mutex_init(lock, nil)
    pthread_cond_init(condition, nil)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { _ in
        WitnessThread.shared.run()
        return nil
      }, nil)
  }

  /// Takes a piece of work.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pthread_mutex_lock(lock)
    jobs.append(job)
    pthread_cond_signal(condition)
    pthread_mutex_unlock(lock)
  }

  private func run() {
    while true {
      pthread_mutex_lock(lock)
      while jobs.isEmpty { pthread_cond_wait(condition, lock) }
      let job = jobs.removeFirst()
      pthread_mutex_unlock(lock)
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
