// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc
internal import Processes

/// The life of the demo: set the stage, tell the story, clear the stage, whatever happens.
@LoopActor
final class Demo {
  /// What ends the demo from outside.
  nonisolated static let endings = [SIGINT, SIGTERM, SIGHUP]

  private let narrator = Narrator()
  private var stage = Stage(on: .loopback)
  private var isEnding = false

  func run() async {
    Signals.handle(Self.endings) { signal in spawn { await self.interrupted(by: signal) } }
    let begin = EventLoop.shared.time.now
    do {
      stage = Stage(on: try ServerChoice.chosen())
      narrator.chapter("A private bus, \(stage.server.title), and nightcloakd")
      try await stage.set()
      try await Story(stage, narrator).tell()
      try await endDaemon()
    } catch {
      return await failed(error)
    }
    guard !isEnding else { return }
    isEnding = true
    await stage.clear(keepingFiles: false)
    let tenths = Int64((EventLoop.shared.time.now - begin) / .milliseconds(100))
    narrator.end("Done in \(tenths / 10).\(tenths % 10) s; every step happened as told, and nothing is left behind.")
    exit(0)
  }

  /// Asked to end, the daemon says goodbye to its server and ends without an error.
  private func endDaemon() async throws {
    guard let daemon = stage.daemon else { return }
    let status = await daemon.end()
    guard status == 0 else { throw DemoFailure("nightcloakd ended with status \(status) when asked to, not 0") }
    narrator.told("daemon", "is told to end (SIGTERM), and does, with status 0")
  }

  private func failed(_ error: any Error) async {
    // On an interruption every wait fails; that is no news.
    guard !isEnding else { return }
    isEnding = true
    let dead = stage.endedByThemselves()
    await stage.clear(keepingFiles: true)
    narrator.failed("\(error)", died: dead, directory: stage.directory?.path, serverLog: stage.server.log)
    exit(1)
  }

  private func interrupted(by signal: Int32) async {
    guard !isEnding else { return }
    isEnding = true
    narrator.end("Interrupted; clearing up.")
    await stage.clear(keepingFiles: false)
    exit(128 + signal)
  }
}

/// Why the story could not go on.
struct DemoFailure: Error, CustomStringConvertible {
  let description: String
  init(_ text: String) { description = text }
}
