// SPDX-License-Identifier: Apache-2.0

/// What the program was told on its command line.
struct BenchOptions {
  enum Outcome {
    case run(BenchOptions)
    /// Print this and succeed.
    case print(String)
    /// Print this to the standard error output and fail.
    case refuse(String)
  }

  var isJSON = false
  /// The benches to run, in the order of ``Bench/all``.
  var benches: [Bench] = []

  static var usage: String {
    let width = Bench.allCases.map(\.rawValue.count).max() ?? 0
    let names = Bench.allCases.map { bench in
      "  \(bench.rawValue)\(String(repeating: " ", count: width - bench.rawValue.count))  \(bench.summary)"
    }
    return """
      usage: nightcloak-bench [--json] [BENCH …]

      Measures nightcloakd, the one beside this program, on a bus and a server of its own, and prints each figure with
      what it is measured against in the same run. Goals are wishes, not tests: a missed one fails nothing.

      \(names.joined(separator: "\n"))

      Without names, all of them.

        --json  an array of objects instead of the table
        --help  print this
      """
  }

  static func parse(_ arguments: [String]) -> Outcome {
    var options = BenchOptions()
    for word in arguments {
      switch word {
      case "--json": options.isJSON = true
      case "--help", "-h": return .print(usage)
      default:
        guard let bench = Bench(rawValue: word) else {
          return .refuse("\"\(word)\" is neither a bench nor an option. nightcloak-bench --help lists both.")
        }
        options.benches.append(bench)
      }
    }
    let chosen = options.benches.isEmpty ? Bench.allCases : options.benches
    options.benches = Bench.allCases.filter(chosen.contains)
    return .run(options)
  }
}
