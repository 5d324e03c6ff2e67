// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Tells on the standard error output how far it is: on a terminal in one line that is overwritten.
enum Progress {
  private static let isTerminal = isatty(STDERR_FILENO) == 1

  static func tell(_ bench: Bench, _ text: String) {
    let line = "\(bench.rawValue): \(text)"
    write(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n")
  }

  /// Leaves the terminal's line to what comes next.
  static func clear() {
    if isTerminal { write("\r\u{1B}[K") }
  }

  /// Writes to the standard error output.
  static func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
