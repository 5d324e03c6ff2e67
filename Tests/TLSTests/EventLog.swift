// SPDX-License-Identifier: Apache-2.0

import EventLoop
import TLS

/// Keeps what a transport tells, and lets a test wait for it. Holds the transport until it has ended.
@LoopActor
final class EventLog {
  private var transport: Transport?
  private(set) var received: [UInt8] = []
  private(set) var events = 0
  private(set) var closings: [TransportError?] = []
  private var waiting: [(condition: () -> Bool, continuation: CheckedContinuation<Void, Never>)] = []

  init(_ transport: Transport) {
    self.transport = transport
    transport.onEvent = { [self] event in
      events += 1
      switch event {
      case .received(let bytes): received += bytes
      case .closed(let error):
        closings.append(error)
        self.transport = nil
      }
      let ready = waiting.filter { $0.condition() }
      waiting.removeAll { $0.condition() }
      for waiter in ready { waiter.continuation.resume() }
    }
  }

  /// Lets go of the transport.
  func release() { transport = nil }

  var text: String { String(decoding: received, as: UTF8.self) }

  func wait(until condition: @escaping () -> Bool) async {
    // A test's own task is not one of the loop's: others may run before the continuation is made.
    await withCheckedContinuation { continuation in
      if condition() { continuation.resume() } else { waiting.append((condition, continuation)) }
    }
  }

  /// Waits for the end and returns why it came.
  func closed() async -> TransportError? {
    await wait { !self.closings.isEmpty }
    return closings.first ?? nil
  }
}

/// Lets the loop run until `condition` holds.
@LoopActor
func settle(until condition: () -> Bool) async {
  while !condition() { await EventLoop.shared.time.wait(for: .microseconds(200)) }
}
