// SPDX-License-Identifier: Apache-2.0

/// One line of the table: what was measured, and what it is measured against.
struct Figure: Sendable {
  /// What is wished for. Timings are never tests: a goal that is missed fails nothing.
  enum Goal: Sendable {
    /// The ratio to the baseline.
    case ratioAtLeast(Double)
    case ratioAtMost(Double)
    /// The figure itself, in its own unit.
    case valueAtMost(Double)
    /// There is none: a figure to compare others with.
    case none
  }

  /// The name of the bench that it comes from.
  var bench: String
  var what: String
  var unit: String
  /// Ours: the median over all rounds.
  var value: Double
  /// The baseline's: the median over the same rounds.
  var baseline: Double?
  /// The median of the rounds' own ratios, ours to the baseline; a disturbance from outside hits both sides of a
  /// round alike.
  var ratio: Double?
  var goal: Goal = .none

  /// A figure of interleaved rounds: in each, ours and the baseline's.
  init(_ bench: String, _ what: String, _ unit: String, rounds: [(ours: Double, baseline: Double)], goal: Goal) {
    self.init(bench, what, unit, median(rounds.map(\.ours)), goal: goal)
    baseline = median(rounds.map(\.baseline))
    ratio = median(rounds.map { $0.ours / $0.baseline })
  }

  init(_ bench: String, _ what: String, _ unit: String, _ value: Double, goal: Goal) {
    self.bench = bench
    self.what = what
    self.unit = unit
    self.value = value
    self.goal = goal
  }

  /// Whether the goal is reached; `nil` where there is none.
  var isReached: Bool? {
    switch goal {
    case .ratioAtLeast(let least): ratio.map { $0 >= least }
    case .ratioAtMost(let most): ratio.map { $0 <= most }
    case .valueAtMost(let most): value <= most
    case .none: nil
    }
  }
}

/// The middle one of `values`, or the mean of the two in the middle; 0 for none.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return 0 }
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
