// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc
internal import XML

/// Tells the story on standard output, as it happens, at most 100 columns wide.
@LoopActor
final class Narrator {
  private static let columns = 100
  private static let indentation = 12
  private static let hanging = 2
  private var chapters = 0
  private var step = "0 (start)"
  private var isInLine = false
  /// Whether the end was told: what still goes on while the stage is cleared is no part of the story.
  private var isOver = false
  /// How far the line of a call goes that has not been answered yet.
  private var column: Int?
  private let isColoured =
    isatty(STDOUT_FILENO) == 1 && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)

  private enum Tint: String {
    case bold = "1"
    case call = "36"
    case wire = "33"
    case bad = "31"
  }

  /// A new part of the story.
  func chapter(_ title: String) {
    chapters += 1
    step = "\(chapters) (\(title))"
    put(tinted("\(chapters). \(title)", .bold))
  }

  /// What somebody calls, as it would be typed.
  func call(_ who: String, _ words: [String]) {
    let texts = Self.wrap(words, continuation: " \\")
    lines(who, texts, .call)
    // The answer may still come onto the same line.
    column = Self.indentation + (texts.count > 1 ? Self.hanging : 0) + (texts.last?.count ?? 0)
  }

  /// What the call that was told last was answered.
  func answer(_ text: String) {
    let words = ["->"] + text.split(separator: " ").map(String.init)
    let line = " " + words.joined(separator: " ")
    guard let column, column + line.count <= Self.columns else { return lines("", Self.wrap(words), nil) }
    write(line)
  }

  /// What somebody, or the reader, learns.
  func told(_ who: String, _ text: String) { lines(who, Self.wrap(text.split(separator: " ").map(String.init)), nil) }

  /// A stanza on its way.
  func wire(_ passed: Wire.Passed, _ detail: StanzaText.Detail = .all) {
    let who = passed.account.prefix(1).uppercased() + passed.account.dropFirst()
    let way = passed.isOutgoing ? "\(who) > server" : "server > \(who)"
    lines("wire", Self.wrap(["\(way):"] + StanzaText.pieces(passed.stanza, detail)), .wire)
  }

  /// What somebody got of somebody else.
  func got(_ who: String, _ stanzas: [Element]) {
    if stanzas.isEmpty { return lines(who, ["gets nothing"], nil) }
    for stanza in stanzas {
      // Whom it is to stands in front.
      lines(who, Self.wrap(["gets"] + StanzaText.pieces(stanza, .moods, attributes: ["from", "type"])), .wire)
    }
  }

  /// The end of the story.
  func end(_ text: String) {
    put(tinted(text, .bold))
    endLine()
    isOver = true
  }

  /// A step that did not happen, and where to look.
  func failed(_ reason: String, died: [String], directory: String?, serverLog: String) {
    lines("FAILED", Self.wrap("in step \(step): \(reason)".split(separator: " ").map(String.init)), .bad)
    if !died.isEmpty { put("  ended by itself: \(died.joined(separator: ", "))") }
    if let directory {
      put("  look at \(directory)/nightcloakd.log,")
      put("  at wire.log beside it (every stanza, in order), and at \(serverLog) there;")
      put("  the directory is yours to remove")
    }
    endLine()
  }

  // MARK: Lines

  private func lines(_ label: String, _ texts: [String], _ tint: Tint?) {
    let padded = "  " + label + String(repeating: " ", count: max(1, Self.indentation - 2 - label.count))
    for (index, text) in texts.enumerated() {
      let start = index == 0 ? padded : String(repeating: " ", count: Self.indentation + Self.hanging)
      put(start + (tint.map { tinted(text, $0) } ?? text))
    }
  }

  /// Fills lines with words; a word that is too long gets a line of its own.
  private static func wrap(_ words: [String], continuation: String = "") -> [String] {
    let room = columns - indentation - hanging - continuation.count
    var result: [String] = []
    var line = ""
    for word in words {
      if line.isEmpty {
        line = word
      } else if line.count + 1 + word.count <= room {
        line += " " + word
      } else {
        result.append(line + continuation)
        line = word
      }
    }
    return result + [line]
  }

  private func tinted(_ text: String, _ tint: Tint) -> String {
    isColoured ? "\u{1b}[\(tint.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// Begins a line; it ends when the next one begins.
  private func put(_ line: String) {
    endLine()
    write(line)
    isInLine = true
  }

  private func endLine() {
    if isInLine { write("\n") }
    isInLine = false
    column = nil
  }

  /// Written at once: the standard library would keep it back where the output is no terminal.
  private func write(_ text: String) {
    guard !isOver else { return }
    _ = text.withCString { Glibc.write(STDOUT_FILENO, $0, strlen($0)) }
  }
}
