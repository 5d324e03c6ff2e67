// SPDX-License-Identifier: Apache-2.0

// Does for as long as it is told to whatever a person, their contacts and strangers can do, and looks each time from the
// outside who sees what: of an account, or with the argument `gateway` of a gateway's addresses. `make visibility` and
// `make gateway` run it; CONTRIBUTING.md says more.

import Glibc
import Outside
import Support

func setting(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}

let name = setting("SERVER") ?? "prosody"
guard let server = OutsideServer(rawValue: name) else {
  print("SERVER=\(name) is none of \(OutsideServer.allCases.map(\.rawValue).joined(separator: ", "))")
  exit(2)
}
let plan = OutsideRun.Plan(
  server: server, mechanism: setting("MECHANISM"), steps: setting("STEPS").flatMap { Int($0) } ?? 10_000,
  seed: setting("SEED").flatMap { UInt64($0) } ?? UInt64(time(nil)), logLevel: setting("LOG"),
  isTold: true)
do {
  if CommandLine.arguments.dropFirst() == ["gateway"] {
    try await GatewayRun.run(plan)
  } else {
    try await OutsideRun.run(plan)
  }
} catch {
  print("\(error)")
  exit(1)
}
