// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import XML
internal import XMPP

/// Where it is written down what each client received: one line a stanza, `juliet@localhost/pc`, a tab, the stanza.
final class RecordFile {
  private let file: Int32

  /// Opens it at its end. Nobody else may read it: it holds what people write to each other.
  /// - Throws: ``Complaint``.
  init(_ path: String) throws(Complaint) {
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Complaint("\(path) cannot be written: \(String(cString: strerror(errno)))") }
  }

  deinit { close(file) }

  /// Adds a line. Blocks for as long as the file system does.
  func write(_ stanza: Element, to client: FullJID) {
    let line = Self.line(stanza, to: client)
    _ = line.withCString { Glibc.write(file, $0, strlen($0)) }
  }

  /// A line, with its line feed.
  static func line(_ stanza: Element, to client: FullJID) -> String {
    // A line feed within a text means the same when it is written as a reference. A resource has neither.
    "\(client)\t" + stanza.serialized(within: "jabber:client").replacing("\n", with: "&#10;") + "\n"
  }
}

/// Writes a text where there may be a file of that name.
func replaceFile(_ path: String, _ text: String) throws(Complaint) {
  let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  defer { close(file) }
  guard file >= 0, text.withCString({ write(file, $0, strlen($0)) }) == text.utf8.count else {
    throw Complaint("\(path) cannot be written: \(String(cString: strerror(errno)))")
  }
}
