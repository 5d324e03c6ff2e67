// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc

let arguments = Array(CommandLine.arguments.dropFirst())
if let address = PlainService.address(arguments) { exit(PlainService.serve(on: address)) }

// Signals are blocked before there is a second thread.
Signals.block([SIGTERM, SIGINT, SIGHUP])
switch BenchOptions.parse(arguments) {
case .print(let text): print(text)
case .refuse(let text):
  Progress.write("nightcloak-bench: \(text)\n")
  exit(2)
case .run(let options):
  spawn { await Run(options).run() }
  EventLoop.run()
}
