// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// Somebody who waits for an answer of c-ares, as it keeps them; told once: the answer, or that it took too long.
@LoopActor
final class DNSQuestion<Answer: Sendable> {
  private var continuation: CheckedContinuation<Result<Answer, LookupError>, Never>?
  private let time: any TimeSource
  private var timer: TimerToken?

  init(_ continuation: CheckedContinuation<Result<Answer, LookupError>, Never>, _ time: any TimeSource) {
    self.continuation = continuation
    self.time = time
  }

  /// Gives up after `limit`. The answer may still come, to nobody.
  func limit(_ limit: Duration) {
    timer = time.schedule(after: limit) { [weak self] in self?.answer(.failure(.timedOut)) }
  }

  func answer(_ answer: Result<Answer, LookupError>) {
    if let timer { time.cancel(timer) }
    timer = nil
    continuation?.resume(returning: answer)
    continuation = nil
  }

  /// For a C function, which gives it back to ``take(_:)`` exactly once.
  nonisolated func retained() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

  nonisolated static func take(_ pointer: UnsafeMutableRawPointer?) -> DNSQuestion {
    // It was given to c-ares together with the callback that reads it.
    Unmanaged<DNSQuestion>.fromOpaque(pointer.unsafelyUnwrapped).takeRetainedValue()
  }
}
