// SPDX-License-Identifier: Apache-2.0

import Support

/// What was counted.
struct Report {
  /// What became of one kind of cut.
  struct Row {
    var count = 0
    /// How often the session went on, and how often there was a new one.
    var resumed = 0
    var renewed = 0
    var total = Duration.zero
    var longest = Duration.zero
  }

  var rows: [Cut: Row] = [:]
  /// Questions to the program, answers that never came, and those that came twice.
  var questions = 0
  var lostAnswers = 0
  var doubledAnswers = 0
  /// Questions whose session was lost with them and that nobody answered: nothing promises an answer then.
  var unanswered = 0
  /// Questions that were answered, and that the server bounced besides when it gave their session up.
  var bounced = 0
  /// A contact's changes of presence while a session went on, and how they arrived.
  var changes = 0
  var lostChanges = 0
  var doubledChanges = 0
  /// How often a contact was told that somebody had gone whose session went on.
  var flickers = 0
  /// Memory and descriptors when the first cuts were over, at the end, and at most.
  var warm: Footprint?
  var last: Footprint?
  var mostMemory = 0
  var mostDescriptors = 0
  /// What was not as it should be, at most a hundred times.
  private(set) var complaints: [String] = []

  mutating func complain(_ text: String) {
    if complaints.count < 100 { complaints.append(text) }
    tell("!! \(text)")
  }

  mutating func note(_ footprint: Footprint) {
    last = footprint
    mostMemory = max(mostMemory, footprint.memory)
    mostDescriptors = max(mostDescriptors, footprint.descriptors)
  }

  mutating func settled(_ cut: Cut, isResumed: Bool, after duration: Duration) {
    rows[cut, default: Row()].count += 1
    if isResumed { rows[cut, default: Row()].resumed += 1 } else { rows[cut, default: Row()].renewed += 1 }
    rows[cut, default: Row()].total += duration
    rows[cut, default: Row()].longest = max(rows[cut, default: Row()].longest, duration)
  }

  func print() {
    func line(_ cells: [String]) {
      let first = cells[0].padded(to: -18)
      tell(first + cells.dropFirst().map { $0.padded(to: 10) }.joined())
    }
    line(["kind of cut", "cuts", "resumed", "new", "mean s", "longest s"])
    for cut in Cut.allCases {
      guard let row = rows[cut] else { continue }
      line([
        cut.rawValue, "\(row.count)", "\(row.resumed)", "\(row.renewed)", (row.total / row.count).tenths,
        row.longest.tenths,
      ])
    }
    let all = rows.values
    line([
      "all", "\(all.map(\.count).reduce(0, +))", "\(all.map(\.resumed).reduce(0, +))",
      "\(all.map(\.renewed).reduce(0, +))", "", all.map(\.longest).max()?.tenths ?? "",
    ])
    tell("")
    line(["", "sent", "lost", "doubled"])
    line(["questions", "\(questions)", "\(lostAnswers)", "\(doubledAnswers)"])
    line(["presence", "\(changes)", "\(lostChanges)", "\(doubledChanges)"])
    tell(
      "with a lost session: \(unanswered) questions without an answer, \(bounced) bounced besides; flickers: \(flickers)"
    )
    tell("")
    line(["", "warm", "at the end", "at most"])
    line(["memory, KiB", "\(warm?.memory ?? 0)", "\(last?.memory ?? 0)", "\(mostMemory)"])
    line(["descriptors", "\(warm?.descriptors ?? 0)", "\(last?.descriptors ?? 0)", "\(mostDescriptors)"])
    for complaint in complaints { tell("!! \(complaint)") }
  }
}

extension Duration {
  /// Seconds with one decimal.
  fileprivate var tenths: String {
    let tenths = components.seconds * 10 + components.attoseconds / 100_000_000_000_000_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension String {
  /// Filled with blanks, on the left or for a negative width on the right.
  fileprivate func padded(to width: Int) -> String {
    let blanks = String(repeating: " ", count: max(0, abs(width) - count))
    return width < 0 ? self + blanks : blanks + self
  }
}
