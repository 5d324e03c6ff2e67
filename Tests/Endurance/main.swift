// SPDX-License-Identifier: Apache-2.0

// Breaks the connections of two accounts for as long as it is told to, and looks each time whether everybody sees what
// they are meant to see, and whether anything was lost. `make endurance` runs it; CONTRIBUTING.md says more.

import Glibc
import Support

/// Prints a line, at once.
func tell(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = write(1, bytes, bytes.count)
}

func setting(_ name: String, _ usual: Int) -> Int {
  getenv(name).flatMap { Int(String(cString: $0)) } ?? usual
}

let plan = Endurance.Plan(
  cuts: setting("CUTS", 500), minutes: setting("MINUTES", 60), seed: UInt64(setting("SEED", Int(time(nil)))))
let family = getenv("SERVER").flatMap { XMPPServer.Family(rawValue: String(cString: $0)) } ?? .prosody
tell("\(plan.cuts) cuts within \(plan.minutes) minutes on \(family), SEED=\(plan.seed)")
do {
  try await Witness.run(on: family, logLevel: nil) { witness in
    let endurance = try Endurance(witness, plan)
    defer { endurance.report.print() }
    try endurance.run()
    guard endurance.report.complaints.isEmpty else { throw WitnessError("not everything was as it should be") }
  }
  tell("everything was as it should be")
} catch {
  tell("endurance: \(error)")
  exit(1)
}
