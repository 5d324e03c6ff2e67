// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What the bench prints in the end.
enum Report {
  /// A table for people.
  static func table(_ figures: [Figure]) -> String {
    let head = ["", "nightcloak", "baseline", "ratio", "goal", ""]
    let rows = [head] + figures.map(row)
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        // Words to the left, numbers to the right.
        return column == 0 || column >= 4 ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ")
    }
    return lines.map { $0.trimmingEnd() + "\n" }.joined()
      + """

      Medians; a ratio is the median of the ratios of rounds in which both sides ran one after the other.
      Load of this machine in the last minute: \(load) on \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors.

      """
  }

  /// The same for programs: an array of objects, numbers unrounded.
  static func json(_ figures: [Figure]) -> String {
    let objects = figures.map { figure in
      var fields = [
        "\"bench\": \(quoted(figure.bench))", "\"what\": \(quoted(figure.what))", "\"unit\": \(quoted(figure.unit))",
        "\"value\": \(figure.value)",
      ]
      if let baseline = figure.baseline { fields.append("\"baseline\": \(baseline)") }
      if let ratio = figure.ratio { fields.append("\"ratio\": \(ratio)") }
      if let isReached = figure.isReached {
        fields += ["\"goal\": \(quoted(text(figure.goal)))", "\"reached\": \(isReached)"]
      }
      return "  {\(fields.joined(separator: ", "))}"
    }
    return "[\n\(objects.joined(separator: ",\n"))\n]\n"
  }

  private static func row(_ figure: Figure) -> [String] {
    [
      figure.what, "\(number(figure.value)) \(figure.unit)",
      figure.baseline.map { "\(number($0)) \(figure.unit)" } ?? "–", figure.ratio.map { "\(fixed($0, 2))×" } ?? "–",
      text(figure.goal), figure.isReached.map { $0 ? "reached" : "missed" } ?? "",
    ]
  }

  private static func text(_ goal: Figure.Goal) -> String {
    switch goal {
    case .ratioAtLeast(let least): "≥ \(number(least))×"
    case .ratioAtMost(let most): "≤ \(number(most))×"
    case .valueAtMost(let most): "≤ \(number(most))"
    case .none: ""
    }
  }

  /// Three significant digits, and no more than what is measured.
  private static func number(_ value: Double) -> String {
    if value == value.rounded(), value < 1000 { return "\(Int(value))" }
    return fixed(value, value >= 100 ? 0 : value >= 10 ? 1 : 2)
  }

  private static func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = pow(10, Double(digits))
    let whole = Int((abs(value) * scale).rounded())
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let fraction = "\(whole % Int(scale))"
    return "\(sign)\(whole / Int(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }

  private static func quoted(_ text: String) -> String {
    "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }

  private static var load: String {
    var load = 0.0
    getloadavg(&load, 1)
    return fixed(load, 2)
  }
}

extension String {
  fileprivate func trimmingEnd() -> Substring {
    self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)]
  }
}
