// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc
internal import Logging

// Signals are blocked before there is a second thread.
Signals.block([SIGTERM, SIGINT])

switch CommandLineOptions.parse(CommandLine.arguments, version: Program.version) {
case .print(let text): print(text)
case .refuse(let text):
  Program.tell(text)
  exit(2)
case .run(let options):
  // What is of interest is printed, and written down where that is asked for.
  LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
  spawn {
    do {
      try Program(options).run()
    } catch {
      Program.tell("\(error)")
      exit(1)
    }
  }
  EventLoop.run()
}
