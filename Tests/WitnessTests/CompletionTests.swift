// SPDX-License-Identifier: Apache-2.0

import Support
import Testing

/// What a shell offers must be what the program takes.
@Suite("Completions", .timeLimit(.minutes(1)))
struct CompletionTests {
  @Test(
    "Bash completes the options that --help names, and no others", arguments: ["nightcloakd", "nightcloak-loopback"])
  func options(program: String) throws {
    let root = String(#filePath.dropLast("Tests/WitnessTests/CompletionTests.swift".count))
    let help = try run(["\(root).build/debug/\(program)", "--help"]).output
    let named = help.split(separator: "\n").filter { $0.hasPrefix("  --") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(named.count > 5)
    let function = "_" + String(program.map { $0 == "-" ? "_" : $0 })
    let script = """
      set -eu; source "$1"; COMPREPLY=(); \(function) \(program) -- ''; printf '%s\\n' "${COMPREPLY[@]}"
      """
    let completed = try run(["bash", "-c", script, "bash", "\(root)data/\(program).bash"])
    try #require(completed.ending == .status(0), "\(completed.errors)")
    #expect(completed.output.split(separator: "\n").map(String.init).sorted() == named.sorted())
  }
}
