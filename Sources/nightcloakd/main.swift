// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop
internal import Glibc
internal import Logging

// Signals are blocked before there is a second thread.
Signals.block([SIGTERM, SIGINT])

switch CommandLineOptions.parse(CommandLine.arguments, version: Daemon.version) {
case .print(let text): print(text)
case .refuse(let text):
  StandardErrorLog.write("nightcloakd: \(text)\n")
  exit(2)
case .run(let options):
  LoggingSystem.bootstrap { _ in StandardErrorLog(logLevel: options.logLevel) }
  spawn { await Daemon(options).run() }
  EventLoop.run()
}
