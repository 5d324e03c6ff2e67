// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop

/// Callers on the bus give up after 25 seconds, and are promised an answer within 20.
@LoopActor
enum CallLimit {
  static let answer = Duration.seconds(19)

  /// Does `work` and waits for it, but not for ever. What is late goes on: it was asked for.
  /// - Parameters:
  ///   - late: what is told when the time is over.
  ///   - limit: how much there is of it.
  /// - Throws: what `work` throws, or `TimedOut`.
  static func within(
    _ late: String, limit: Duration = answer, time: any TimeSource = EventLoop.shared.time,
    _ work: @escaping @LoopActor @Sendable () async throws -> Void
  ) async throws {
    let race = Race(time)
    try await withCheckedThrowingContinuation { continuation in
      race.begin(continuation, limit, DBusError(.ours("TimedOut"), late))
      spawn {
        do {
          try await work()
          race.finish(.success(()))
        } catch {
          race.finish(.failure(error))
        }
      }
    }
  }

  /// The work and the clock; who comes first answers.
  @LoopActor
  private final class Race {
    private let time: any TimeSource
    private var waiting: (continuation: CheckedContinuation<Void, any Error>, timer: TimerToken)?

    init(_ time: any TimeSource) { self.time = time }

    func begin(_ continuation: CheckedContinuation<Void, any Error>, _ limit: Duration, _ late: DBusError) {
      waiting = (continuation, time.schedule(after: limit) { [weak self] in self?.finish(.failure(late)) })
    }

    func finish(_ outcome: Result<Void, any Error>) {
      guard let waiting else { return }
      self.waiting = nil
      time.cancel(waiting.timer)
      waiting.continuation.resume(with: outcome)
    }
  }
}
