// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// One thread that waits for descriptors, timers, signals and Swift jobs.
///
/// Our own epoll rather than a library's: sd-event asks epoll again for each event that it dispatches, and NIO
/// cannot watch libdbus's descriptor (the figures are in CONTRIBUTING.md).
@LoopActor
public final class EventLoop {
  /// The loop of this process.
  public static let shared = EventLoop()

  /// What a descriptor is watched for, and what happened on it.
  public struct Interest: OptionSet, Sendable, Hashable {
    /// The bits of epoll.
    public let rawValue: UInt32
    /// Makes a set from epoll's bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// There is something to read.
    public static let read = Interest(rawValue: linux_epoll_in)
    /// There is room to write.
    public static let write = Interest(rawValue: linux_epoll_out)
    /// The descriptor failed (reported without being asked for).
    public static let error = Interest(rawValue: linux_epoll_error)
    /// The other end is gone (reported without being asked for).
    public static let hangUp = Interest(rawValue: linux_epoll_hang_up)
  }

  private struct Watch {
    var generation: UInt32
    var interest: Interest
    var handler: @LoopActor (Interest) -> Void
  }

  private static let eventsPerTurn = 64
  private nonisolated static let stopping = Atomic<Bool>(false)

  private let epoll = epoll_create1(linux_epoll_cloexec)
  private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: EventLoop.eventsPerTurn)
  private var watches: [Int32: Watch] = [:]
  private var generation: UInt32 = 0
  private let clock = LoopClock()

  private init() {
    watch(LoopExecutor.shared.wakeDescriptor, for: .read) { _ in LoopExecutor.shared.drainWakes() }
    watch(clock.descriptor, for: .read) { [clock] _ in clock.fire() }
  }

  /// The real clock, with timers on this loop.
  public var time: any TimeSource { clock }

  // MARK: Descriptors

  /// Calls `handler` each time something of `interest` happens on `descriptor` (level-triggered); replaces an
  /// earlier watch. Errors and hang-ups are always told.
  public func watch(
    _ descriptor: Int32, for interest: Interest, _ handler: @escaping @LoopActor (Interest) -> Void
  ) {
    if let old = watches[descriptor] {
      watches[descriptor] = Watch(generation: old.generation, interest: interest, handler: handler)
      if old.interest != interest { control(EPOLL_CTL_MOD, descriptor, old.generation, interest) }
    } else {
      generation &+= 1
      watches[descriptor] = Watch(generation: generation, interest: interest, handler: handler)
      control(EPOLL_CTL_ADD, descriptor, generation, interest)
    }
  }

  /// Stops watching `descriptor`. Call it before the descriptor is closed.
  public func unwatch(_ descriptor: Int32) {
    guard let watch = watches.removeValue(forKey: descriptor) else { return }
    // A library may have closed the descriptor already (EBADF): then epoll has forgotten it by itself.
    control(EPOLL_CTL_DEL, descriptor, watch.generation, [])
  }

  private func control(_ operation: Int32, _ descriptor: Int32, _ generation: UInt32, _ interest: Interest) {
    var event = epoll_event()
    event.events = interest.rawValue
    event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    epoll_ctl(epoll, operation, descriptor, &event)
  }

  // MARK: Running

  /// Runs the loop on the calling thread until ``stop()``.
  public nonisolated static func run() {
    let executor = LoopExecutor.shared
    executor.adoptCurrentThread()
    while !stopping.load(ordering: .acquiring) {
      executor.runJobs()
      if stopping.load(ordering: .acquiring) { break }
      let maySleep = executor.prepareToSleep()
      LoopActor.assumeIsolated { shared.turn(sleeping: maySleep) }
    }
  }

  /// Makes ``run()`` return after the present turn. May be called from any thread.
  public nonisolated static func stop() {
    stopping.store(true, ordering: .releasing)
    LoopExecutor.shared.wake()
  }

  /// Runs the loop on a thread of its own, for programs (tests) whose main thread belongs to somebody else.
  /// Calling it again changes nothing.
  public nonisolated static func runInBackground() { _ = background }

  private nonisolated static let background: Void = {
    BlockingWork.thread { EventLoop.run() }
  }()

  private func turn(sleeping: Bool) {
    let count = epoll_wait(epoll, events.baseAddress, Int32(events.count), sleeping ? -1 : 0)
    if sleeping { LoopExecutor.shared.wokeUp() }
    guard count > 0 else { return }
    for event in events.prefix(Int(count)) {
      let descriptor = Int32(bitPattern: UInt32(truncatingIfNeeded: event.data.u64))
      // An event may be of a descriptor that an earlier handler of this turn closed and whose number was reused.
      guard let watch = watches[descriptor], watch.generation == UInt32(event.data.u64 >> 32) else { continue }
      watch.handler(Interest(rawValue: event.events))
    }
  }
}
