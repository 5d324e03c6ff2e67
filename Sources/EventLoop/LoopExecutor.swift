// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// The queue of Swift jobs that wait for the loop's thread.
///
/// Both a serial executor (it isolates ``LoopActor``) and a task executor (a task that prefers it resumes on the
/// loop's thread directly). Jobs from the loop's own thread take no lock; others wake the loop through an eventfd.
final class LoopExecutor: SerialExecutor, TaskExecutor, Sendable {
  static let shared = LoopExecutor()

  private struct Foreign {
    var jobs: [UnownedJob] = []
    var loopSleeps = false
  }

  let wakeDescriptor = eventfd(0, linux_eventfd_flags)
  private let foreign = Mutex(Foreign())
  private let thread = Atomic<UInt>(0)
  // Touched by the loop's thread only: `enqueue` checks the thread before it looks.
  private nonisolated(unsafe) var local: [UnownedJob] = []
  private nonisolated(unsafe) var batch: [UnownedJob] = []

  private init() {}

  var isOnLoop: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

  /// Makes the calling thread the loop's. Called once, by ``EventLoop/run()``.
  func adoptCurrentThread() { thread.store(UInt(pthread_self()), ordering: .sequentiallyConsistent) }

  func checkIsolated() { precondition(isOnLoop, "code of the loop was called from another thread") }
  func isIsolatingCurrentContext() -> Bool? { isOnLoop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isOnLoop { return local.append(job) }
    let mustWake = foreign.withLock { foreign in
      foreign.jobs.append(job)
      defer { foreign.loopSleeps = false }
      return foreign.loopSleeps
    }
    if mustWake { wake() }
  }

  func wake() {
    var one: UInt64 = 1
    _ = write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
  }

  func drainWakes() {
    var count: UInt64 = 0
    _ = read(wakeDescriptor, &count, MemoryLayout<UInt64>.size)
  }

  /// Runs the jobs that wait, at most `rounds` generations of them, so that jobs that beget jobs cannot starve
  /// descriptors.
  func runJobs(rounds: Int = 16) {
    let serial = asUnownedSerialExecutor()
    let task = asUnownedTaskExecutor()
    for _ in 0..<rounds {
      swap(&batch, &local)
      foreign.withLock { foreign in
        guard !foreign.jobs.isEmpty else { return }
        batch.append(contentsOf: foreign.jobs)
        foreign.jobs.removeAll(keepingCapacity: true)
      }
      if batch.isEmpty { return }
      for job in batch { job.runSynchronously(isolatedTo: serial, taskExecutor: task) }
      batch.removeAll(keepingCapacity: true)
    }
  }

  /// Whether the loop may sleep: no job waits. From here on a foreign job wakes it.
  func prepareToSleep() -> Bool {
    guard local.isEmpty else { return false }
    return foreign.withLock { foreign in
      foreign.loopSleeps = foreign.jobs.isEmpty
      return foreign.loopSleeps
    }
  }

  func wokeUp() { foreign.withLock { $0.loopSleeps = false } }
}
