// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Logging
internal import TLS
internal import XML

// What happens on a stream that is bound: carrying out what ``BoundStream`` decides.

extension ClientStream {
  /// An element on the stream.
  func received(_ element: Element) {
    if phase == .closing { bound?.receivedLate(element) }
    guard phase == .bound else { return }
    if element.matches("error", Namespace.stream) {
      return finish(StreamEnd(streamError: element, configuration: configuration))
    }
    perform(bound?.received(element, at: time.now))
  }

  /// Carries out effects, then looks after the timer.
  func perform(_ effects: [BoundStream.Effect]?) {
    for effect in effects ?? [] {
      guard phase == .bound else { return }
      switch effect {
      case .send(let bytes): transport?.send(bytes)
      case .deliver(let element): deliver(element)
      case .end(let end, let farewell): finish(end, farewell: farewell + StreamHeader.end)
      }
    }
    arm()
  }

  private func deliver(_ element: Element) {
    do throws(MalformedStanza) {
      onEvent(.stanza(try Stanza(element), raw: element))
    } catch {
      // Not answered either: whoever sent it may be nobody who may know that we are here.
      logger.info("a stanza was dropped: \(error)")
    }
  }

  /// Keeps one timer, at or before the next deadline: one that comes too early just looks again, so that traffic, which
  /// moves the deadline, costs nothing here.
  func arm() {
    guard phase == .bound, let deadline = bound?.deadline else { return }
    if let boundTimer {
      guard deadline < boundTimer.deadline else { return }
      time.cancel(boundTimer.token)
    }
    let token = time.schedule(after: max(.zero, deadline - time.now)) { [weak self] in
      guard let self else { return }
      boundTimer = nil
      perform(bound?.timePassed(at: time.now))
    }
    boundTimer = (deadline, token)
  }

  func stopBoundTimer() {
    if let boundTimer { time.cancel(boundTimer.token) }
    boundTimer = nil
  }
}
