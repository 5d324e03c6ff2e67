// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file with a name and a secret on each line, as `juliet:secret`: who may log in. The name ends at the first colon,
/// everything behind it is the secret. Empty lines and those that begin with `#` are for people.
struct SecretsFile: Equatable {
  /// What a file may hold at most, in bytes.
  static let mostBytes = 1 << 20

  private(set) var secrets: [String: String] = [:]

  /// Reads what a file says.
  /// - Parameters:
  ///   - text: all of it.
  ///   - name: what it is called in a complaint, which never quotes a line: it may be a password.
  init(_ text: String, name: String) throws(Complaint) {
    // To Swift, the end of a line from other systems is one character of its own.
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      guard let colon = line.firstIndex(of: ":"), colon > line.startIndex, line.index(after: colon) < line.endIndex
      else { throw Complaint("line \(index + 1) of \(name) is not NAME:SECRET") }
      let name = String(line[..<colon])
      // The last one counts, so that a line at the end changes a password.
      secrets[name] = String(line[line.index(after: colon)...])
    }
  }

  /// Reads a file, or the standard input where it is called `-`. Blocks.
  init(path: String) throws(Complaint) {
    let name = path == "-" ? "the standard input" : path
    let file = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Self.unreadable(name) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(file, &buffer, buffer.count)
      guard count >= 0 else { throw Self.unreadable(name) }
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
      guard bytes.count <= Self.mostBytes else {
        throw Complaint("\(name) has more than \(Self.mostBytes) bytes")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Complaint("\(name) is not UTF-8") }
    try self.init(text, name: name)
  }

  private static func unreadable(_ name: String) -> Complaint {
    Complaint("\(name) cannot be read: \(String(cString: strerror(errno)))")
  }
}
