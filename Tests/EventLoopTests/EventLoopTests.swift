// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Testing

@Suite("The event loop")
struct EventLoopTests {
  init() { EventLoop.runInBackground() }

  @Test("Timers fire in the order of their deadlines, equal ones in the order they were set")
  @LoopActor func timerOrder() {
    let time = ManualTime()
    var fired: [String] = []
    _ = time.schedule(after: .seconds(2)) { fired.append("late") }
    _ = time.schedule(after: .seconds(1)) { fired.append("first") }
    _ = time.schedule(after: .seconds(1)) { fired.append("second") }
    time.advance(by: .milliseconds(999))
    #expect(fired.isEmpty)
    time.advance(by: .milliseconds(1))
    #expect(fired == ["first", "second"])
    time.advance(by: .seconds(1))
    #expect(fired == ["first", "second", "late"])
  }

  @Test("A cancelled timer does not fire, and cancelled timers do not pile up")
  @LoopActor func cancelledTimer() {
    let time = ManualTime()
    var fired = 0
    for _ in 0..<10_000 { time.cancel(time.schedule(after: .seconds(1)) { fired += 1 }) }
    #expect(time.pendingTimers == 0)
    time.advance(by: .seconds(2))
    #expect(fired == 0)
  }

  @Test("A timer of the real clock fires, not before its time")
  @LoopActor func realTimer() async {
    let time = EventLoop.shared.time
    let start = time.now
    await time.wait(for: .milliseconds(5))
    #expect(time.now - start >= .milliseconds(5))
  }

  @Test("A descriptor is told of once there is something to read, and no more after unwatch")
  @LoopActor func descriptor() async {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let (reader, writer) = (ends[0], ends[1])
    let seen = await withCheckedContinuation { (continuation: CheckedContinuation<EventLoop.Interest, Never>) in
      EventLoop.shared.watch(reader, for: .read) { interest in
        EventLoop.shared.unwatch(reader)
        continuation.resume(returning: interest)
      }
      var byte: UInt8 = 1
      #expect(write(writer, &byte, 1) == 1)
    }
    #expect(seen.contains(.read))
  }

  @Test("A watch whose descriptor an earlier handler closed is not called for the reused number")
  @LoopActor func reusedDescriptor() async {
    var first: [Int32] = [0, 0]
    var second: [Int32] = [0, 0]
    #expect(pipe(&first) == 0 && pipe(&second) == 0)
    defer { for end in first + second { close(end) } }
    var byte: UInt8 = 1
    var calls = 0
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      for (mine, other) in [(first[0], second[0]), (second[0], first[0])] {
        EventLoop.shared.watch(mine, for: .read) { _ in
          calls += 1
          EventLoop.shared.unwatch(mine)
          // The other one is unwatched and watched anew in the same turn: its pending event is stale.
          EventLoop.shared.unwatch(other)
          continuation.resume()
        }
      }
      #expect(write(first[1], &byte, 1) == 1 && write(second[1], &byte, 1) == 1)
    }
    #expect(calls == 1)
  }

  @Test("Work off the loop comes back to the loop")
  @LoopActor func offLoopWork() async {
    let loopThread = pthread_self()
    let (result, elsewhere) = await offLoop { (6 * 7, pthread_equal(pthread_self(), loopThread) == 0) }
    #expect(result == 42)
    #expect(elsewhere)
    #expect(pthread_equal(pthread_self(), loopThread) != 0)
  }

  @Test("A hundred pieces of blocking work all get done")
  @LoopActor func manyOffLoop() async {
    let sum = await withTaskGroup(of: Int.self) { group in
      for number in 1...100 { group.addTask { await offLoop { number } } }
      var sum = 0
      for await number in group { sum += number }
      return sum
    }
    #expect(sum == 5050)
  }
}

@Suite("Tasks on the loop")
struct LoopTaskTests {
  init() { EventLoop.runInBackground() }

  @Test("Between a look and the wait that follows it, nobody else gets to run")
  func atomicSuspension() async {
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      spawn {
        var order: [String] = []
        let other = spawn { order.append("other") }
        await Self.sameActor { order.append("call") }
        await withCheckedContinuation { continuation in
          order.append("continuation")
          continuation.resume()
        }
        await other.value
        #expect(order == ["call", "continuation", "other"])
        done.resume()
      }
    }
  }

  @LoopActor private static func sameActor(_ body: () -> Void) async { body() }
}
