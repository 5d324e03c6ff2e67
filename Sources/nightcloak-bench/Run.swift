// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc

/// One run of the program: the benches one after the other, then what they found.
@LoopActor
final class Run {
  private let options: BenchOptions
  private var workshop: Workshop?
  private var isFinishing = false

  init(_ options: BenchOptions) { self.options = options }

  func run() async {
    Signals.handle([SIGTERM, SIGINT, SIGHUP]) { signal in
      spawn { await self.finish(128 + signal) }
    }
    do {
      let workshop = try Workshop()
      self.workshop = workshop
      try await workshop.openBus()
      var figures: [Figure] = []
      for bench in options.benches {
        Progress.tell(bench, "…")
        figures += try await bench.run(in: workshop)
      }
      Progress.clear()
      print(options.isJSON ? Report.json(figures) : Report.table(figures), terminator: "")
      await finish(0)
    } catch {
      guard !isFinishing else { return }
      Progress.clear()
      Progress.write("nightcloak-bench: \(error)\n")
      await finish(1)
    }
  }

  /// Clears up and ends the program. The first to call it decides on the status: what fails after a signal fails
  /// because of it.
  private func finish(_ status: Int32) async {
    guard !isFinishing else { return }
    isFinishing = true
    await workshop?.close()
    fflush(nil)
    exit(status)
  }
}
