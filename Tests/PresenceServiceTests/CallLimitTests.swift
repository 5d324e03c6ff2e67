// SPDX-License-Identifier: Apache-2.0

import DBus
import EventLoop
import Testing

@testable import PresenceService

@Suite("Calls that are answered in time", .timeLimit(.minutes(1)))
struct CallLimitTests {
  init() { EventLoop.runInBackground() }

  private struct Refused: Error {}

  @Test("What is done in time is told as it is, and leaves no timer behind")
  @LoopActor func inTime() async throws {
    let time = ManualTime()
    try await CallLimit.within("late", time: time) {}
    await #expect(throws: Refused.self) { try await CallLimit.within("late", time: time) { throw Refused() } }
    #expect(time.pendingTimers == 0)
  }

  @Test("What is late is told as late, goes on, and is not told again")
  @LoopActor func late() async throws {
    let time = ManualTime()
    var gate: CheckedContinuation<Void, Never>?
    var isDone = false
    let error = await #expect(throws: DBusError.self) {
      try await CallLimit.within("late", time: time) {
        await withCheckedContinuation { continuation in
          gate = continuation
          time.advance(by: CallLimit.answer)
        }
        isDone = true
        throw Refused()
      }
    }
    #expect(error?.name == .ours("TimedOut") && error?.message == "late")
    #expect(!isDone)
    gate?.resume()
    while !isDone { await Task.yield() }
  }
}
