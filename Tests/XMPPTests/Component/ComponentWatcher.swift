// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Logging
import Testing
import Waiting
import XML
import XMPP

/// What a component's stream has told and logged, and a way to wait for more.
@LoopActor
final class ComponentWatcher {
  private(set) var stanzas: [(stanza: Stanza, raw: Element)] = []
  private(set) var steps: [StreamStep] = []
  /// Once it is ready.
  private(set) var security: Security?
  private(set) var end: StreamEnd?
  private(set) var ends = 0
  private(set) var log: [String] = []
  private let changes = Changes()

  let stream: ComponentStream

  init(_ configuration: ComponentConfiguration, time: any TimeSource) {
    let told = Told()
    stream = ComponentStream(
      configuration, time: time, logger: Logger(label: "test") { _ in Lines(told: told) }, memory: KeepAliveMemory())
    told.watcher = self
    stream.onEvent = { [weak self] event in
      guard let self else { return }
      switch event {
      case .step(let step): steps.append(step)
      case .ready(let security): self.security = security
      case .stanza(let stanza, let raw): stanzas.append((stanza, raw))
      case .ended(let end):
        self.end = end
        ends += 1
      }
      wake()
    }
  }

  /// Another one whose news is of interest to those who wait here.
  weak var twin: ComponentWatcher?

  private func wake(andTwin: Bool = true) {
    if andTwin { twin?.wake(andTwin: false) }
    changes.tell()
  }

  /// Where lines of the log go: all are written on the loop.
  private final class Told: @unchecked Sendable {
    weak var watcher: ComponentWatcher?
  }

  private struct Lines: LogHandler {
    let told: Told
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let line = "\(event.level): \(event.message) \(event.metadata ?? [:])"
      LoopActor.assumeIsolated {
        told.watcher?.log.append(line)
        told.watcher?.wake()
      }
    }
  }

  var isReady: Bool { security != nil }

  func wait(at location: SourceLocation = #_sourceLocation, until condition: (ComponentWatcher) -> Bool) async {
    let hasCome = await changes.wait { condition(self) }
    #expect(hasCome, "what was waited for has not come", sourceLocation: location)
  }
}
