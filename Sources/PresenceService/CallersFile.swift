// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop
internal import Glibc

/// Reads a file that a caller names and that holds a secret. We may read what the caller may not, so it must be the
/// caller's own; and what is wrong with another's, or whether there is any, is not told.
@LoopActor
enum CallersFile {
  /// Reads a file off the loop.
  /// - Parameters:
  ///   - path: an absolute path.
  ///   - uid: whose file it must be.
  ///   - key: what the path is called in errors.
  ///   - mostBytes: how large it may be.
  /// - Throws: ``DBusError`` naming the key.
  static func read(_ path: String, of uid: UInt32, _ key: String, atMost mostBytes: Int) async throws -> [UInt8] {
    guard path.utf8.first == UInt8(ascii: "/") else {
      throw DBusError(.invalidArgs, "\"\(key)\" is \"\(path.prefix(100))\", but must be a path that begins with \"/\".")
    }
    return try await offLoop { Result { () throws(DBusError) in try readNow(path, uid, key, mostBytes) } }.get()
  }

  private nonisolated static func readNow(
    _ path: String, _ uid: UInt32, _ key: String, _ mostBytes: Int
  ) throws(DBusError) -> [UInt8] {
    let unusable = DBusError(
      .invalidArgs,
      "\"\(key)\" cannot be read: \(path.prefix(500)) must be a regular file that belongs to you and that the daemon may "
        + "read. \"\(key)-fd\" works with every file that you may read yourself.")
    // Opening a pipe or a device must not wait.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { throw unusable }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == uid else {
      throw unusable
    }
    // Read to the end: a file can grow, and those of some file systems say that they are empty.
    var content: [UInt8] = []
    while content.count <= mostBytes {
      var piece = [UInt8](repeating: 0, count: mostBytes)
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unusable }
      if count == 0 { return content }
      content += piece.prefix(count)
    }
    throw DBusError(.limitsExceeded, "\"\(key)\" names a file of more than \(mostBytes) bytes.")
  }
}
